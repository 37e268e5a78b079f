//! The hash of a lock's name, which says where its lock is.
//!
//! Taking a lock that nobody else asks for waits for little else than this, so short text
//! takes one multiplication for each 16 bytes, and none of them waits for another: the
//! products of its words, two by two, are folded together. The words are read from both
//! ends and may overlap, since with the length they still are one text only.
//!
//! Each word is first combined with a number that is drawn anew in each process, so that
//! nobody outside can choose keys which meet in one bucket. Nothing depends on that but
//! speed: locks are told apart by their whole names.

use crate::key::uuid::UuidText;
use crate::sync::Ordering;
use crate::sync::ambient::AtomicU64;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher};
use std::sync::Once;

/// How much text is hashed at once.
const SHORT: usize = 64;

/// The numbers of this process.
static SEEDS: Seeds = Seeds::new();

/// A number for each word of [`SHORT`] text. All zero until they are drawn.
struct Seeds([AtomicU64; SHORT / 8]);

/// Draws the numbers of this process, unless they are. What happens after it sees them in [`hash`],
/// as does every thread that knows a space's number.
pub(crate) fn draw_seeds() {
    static DRAWN: Once = Once::new();
    DRAWN.call_once(|| SEEDS.draw());
}

/// The same hash for tables of the standard library's kind.
pub(crate) struct TableHasher(u64);

impl Default for TableHasher {
    fn default() -> Self {
        draw_seeds();
        Self(0)
    }
}

impl Hasher for TableHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(self.0, bytes);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The hash of a key's text in a space.
#[expect(clippy::inline_always, reason = "a call costs about as much")]
#[inline(always)]
pub(crate) fn hash(space: u64, text: &[u8]) -> u64 {
    if text.len() <= SHORT {
        SEEDS.hash_short(space, text)
    } else {
        SEEDS.hash_long(space, text)
    }
}

/// The same of the text of a UUID.
#[cfg(not(all(test, loom)))]
#[inline]
pub(crate) fn hash_uuid(space: u64, text: UuidText) -> u64 {
    SEEDS.hash_uuid(space, text)
}

impl Seeds {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; SHORT / 8])
    }

    fn draw(&self) {
        let random = RandomState::new();
        for (index, seed) in self.0.iter().enumerate() {
            seed.store(random.hash_one(index), Ordering::Relaxed);
        }
    }

    #[cold]
    fn hash_long(&self, space: u64, text: &[u8]) -> u64 {
        let chunks = text.chunks(SHORT);
        chunks.fold(space, |hash, chunk| self.hash_short(hash, chunk))
    }

    #[expect(clippy::inline_always, reason = "a call costs about as much")]
    #[inline(always)]
    fn hash_short(&self, space: u64, text: &[u8]) -> u64 {
        let name = space ^ text.len() as u64;
        if text.len() < 16 {
            return self.product(named(ends(text), name), 0).fold();
        }
        let last = self.product(named(words(at(text, text.len() - 16)), name), 2);
        let mut product = self.product(words(at(text, 0)), 0).and(&last);
        // Not a loop over those in between, which takes as long as all the rest.
        if text.len() > 32 {
            product = product.and(&self.product(words(at(text, 16)), 4));
        }
        if text.len() > 48 {
            product = product.and(&self.product(words(at(text, 32)), 6));
        }
        product.fold()
    }

    #[inline]
    fn hash_uuid(&self, space: u64, text: UuidText) -> u64 {
        let name = space ^ u64::from(UuidText::LENGTH);
        let [first, second, last] = text.parts();
        let product = self.product(first, 0).and(&self.product(second, 4));
        product.and(&self.product(named(last, name), 2)).fold()
    }

    /// That of two words, combined with the seeds from this one on.
    #[inline]
    fn product(&self, [a, b]: [u64; 2], first: usize) -> Product {
        let seed = |index: usize| self.0[index].load(Ordering::Relaxed);
        let product = u128::from(a ^ seed(first)) * u128::from(b ^ seed(first + 1));
        let [low, high] = halves(product);
        Product { low, high }
    }
}

/// The bytes that begin at one, which are known to be there. Not a reference to them, of which the
/// compiler sometimes asks whether it is null.
#[expect(clippy::inline_always, reason = "a call costs about as much")]
#[inline(always)]
fn at<const N: usize>(text: &[u8], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&text[at..at + N]);
    bytes
}

/// Fewer than 16 bytes as two words.
#[inline]
fn ends(text: &[u8]) -> [u64; 2] {
    let length = text.len();
    if length >= 8 {
        [0, length - 8].map(|place| u64::from_le_bytes(at(text, place)))
    } else if length >= 4 {
        [0, length - 4].map(|place| u64::from(u32::from_le_bytes(at(text, place))))
    } else {
        let byte = |at: usize| text.get(at).map_or(0, |byte| u64::from(*byte));
        [byte(0) | byte(1) << 8 | byte(2) << 16, 0]
    }
}

/// With the name in both words, so that the hashes of one text in many spaces don't have
/// one distance from each other, by which they could meet.
#[inline]
const fn named([a, b]: [u64; 2], name: u64) -> [u64; 2] {
    [a ^ name.rotate_left(32), b ^ name]
}

#[inline]
fn words(bytes: [u8; 16]) -> [u64; 2] {
    halves(u128::from_le_bytes(bytes))
}

#[expect(clippy::cast_possible_truncation, reason = "the lower halves")]
const fn halves(both: u128) -> [u64; 2] {
    [both as u64, (both >> 64) as u64]
}

/// The halves of a product, and what is combined with it. The lower one is there before
/// the upper one, so they are combined each for itself.
struct Product {
    low: u64,
    high: u64,
}

impl Product {
    #[inline]
    const fn and(&self, other: &Self) -> Self {
        Self {
            low: self.low ^ other.low,
            high: self.high ^ other.high,
        }
    }

    #[inline]
    const fn fold(&self) -> u64 {
        self.low ^ self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// So that nobody can choose keys that fall together.
    #[test]
    fn hashes_of_two_processes_differ() {
        let hash = || {
            let seeds = Seeds::new();
            seeds.draw();
            seeds.hash_long(7, b"key")
        };
        assert_ne!(hash(), hash());
    }

    #[cfg(not(loom))]
    #[test]
    fn seeds_are_drawn_before_the_first_use() {
        drop(crate::lock("hash: drawn"));
        let mut seeds = SEEDS.0.iter().map(|seed| seed.load(Ordering::Relaxed));
        assert!(seeds.all(|seed| seed != 0));
    }

    proptest! {
        #[test]
        fn uuid_has_the_hash_of_its_text(bytes: [u8; 16], space: u64) {
            let digits = format!("{:032x}", u128::from_be_bytes(bytes));
            let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
            let seeds = Seeds::new();
            seeds.draw();
            let hash = seeds.hash_uuid(space, UuidText::new(u128::from_le_bytes(bytes)));
            prop_assert_eq!(hash, seeds.hash_long(space, parts.join("-").as_bytes()));
        }
    }

    /// Text of every length, and each with one byte changed.
    #[test]
    fn every_byte_counts() {
        let seeds = Seeds::new();
        seeds.draw();
        let text: Vec<u8> = (1..=200).collect();
        let mut hashes = HashMap::new();
        let mut insert = |text: &[u8]| {
            let other = hashes.insert(seeds.hash_long(7, text), text.to_vec());
            assert!(other.is_none_or(|other| other == text), "{text:?}");
        };
        for length in 0..text.len() {
            insert(&text[..length]);
            for at in 0..length {
                let mut changed = text[..length].to_vec();
                changed[at] ^= 0x80;
                insert(&changed);
            }
        }
    }

    /// About as evenly as by chance, which leaves 37 % of as many places empty. The middle
    /// of many draws, since some seeds are worse than others.
    #[test]
    fn numbered_keys_and_spaces_spread() {
        type Name = fn(u64) -> (u64, String);
        let seeds = Seeds::new();
        let names: [(&str, Name); 3] = [
            ("short", |n| (1 << 24, n.to_string())),
            ("long", |n| {
                (1 << 24, format!("a-prefix-of-all-keys/{n}/and-a-suffix"))
            }),
            ("spaces", |n| (n << 24 | 3, "one".to_owned())),
        ];
        for ((what, name), shift) in names
            .iter()
            .flat_map(|name| [0, 32, 52].map(|at| (name, at)))
        {
            let empty = || {
                seeds.draw();
                let mut places = vec![true; 4096];
                for (space, text) in (0..4096).map(name) {
                    let hash = seeds.hash_long(space, text.as_bytes());
                    places[usize::try_from(hash >> shift & 0xFFF).unwrap()] = false;
                }
                places.into_iter().filter(|empty| *empty).count()
            };
            let mut draws: Vec<_> = std::iter::repeat_with(empty).take(51).collect();
            draws.sort_unstable();
            assert!(
                draws[25] < 1600,
                "{what}, bits from {shift} on: {} empty",
                draws[25]
            );
        }
    }
}
