//! SHA-256, for the names of locks outside of the process, which must be the same in all programs
//! and versions, and which nobody must be able to make collide.
//!
//! As FIPS 180-4 has it, for the few names that need it: short, and not fast.

use std::sync::LazyLock;

type Constants = ([u32; 8], [u32; 64]);

static CONSTANTS: LazyLock<Constants> = LazyLock::new(constants);

/// The first 32 bits of the fractional parts of the roots of the primes from 2 on: square
/// roots of 8 to start with, cube roots of 64 for the rounds. Worked out and not written
/// down, so that no digit can be wrong.
fn constants() -> Constants {
    let is_prime = |n: &u128| (2..*n).all(|divisor| n % divisor != 0);
    let mut primes = (2..).filter(is_prime);
    let primes: [u128; 64] = std::array::from_fn(|_| primes.next().expect("they never end"));
    let start = std::array::from_fn(|index| low(root(primes[index] << 64, 2)));
    let rounds = primes.map(|prime| low(root(prime << 96, 3)));
    (start, rounds)
}

/// The integer part of a root.
fn root(of: u128, degree: u32) -> u128 {
    let mut root = 0_u128;
    for bit in (0..36).rev() {
        let next = root | 1 << bit;
        if next.checked_pow(degree).is_some_and(|power| power <= of) {
            root = next;
        }
    }
    root
}

fn low(number: u128) -> u32 {
    u32::try_from(number & u128::from(u32::MAX)).expect("32 bits")
}

/// The SHA-256 of a text, for engines whose names are to be short.
///
/// # Examples
///
/// ```
/// let digest = lockutils::engine::sha256(b"a very long key");
/// assert_eq!(digest.len(), 32);
/// ```
#[must_use]
pub fn sha256(text: &[u8]) -> [u8; 32] {
    let (mut state, rounds) = *CONSTANTS;
    let mut padded = text.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend((8 * text.len() as u64).to_be_bytes());
    for block in padded.chunks_exact(64) {
        compress(&mut state, block, &rounds);
    }
    let mut digest = [0; 32];
    for (place, word) in digest.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[expect(clippy::many_single_char_names, reason = "as the standard has them")]
fn compress(state: &mut [u32; 8], block: &[u8], rounds: &[u32; 64]) {
    let mut schedule = [0_u32; 64];
    for (place, bytes) in schedule.iter_mut().zip(block.chunks_exact(4)) {
        *place = u32::from_be_bytes(bytes.try_into().expect("four of them"));
    }
    for index in 16..64 {
        let (early, late) = (schedule[index - 15], schedule[index - 2]);
        let early = early.rotate_right(7) ^ early.rotate_right(18) ^ early >> 3;
        let late = late.rotate_right(17) ^ late.rotate_right(19) ^ late >> 10;
        schedule[index] = schedule[index - 16]
            .wrapping_add(early)
            .wrapping_add(schedule[index - 7])
            .wrapping_add(late);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (round, word) in rounds.iter().zip(schedule) {
        let sum = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let first = h
            .wrapping_add(sum)
            .wrapping_add(e & f ^ !e & g)
            .wrapping_add(*round)
            .wrapping_add(word);
        let sum = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let second = sum.wrapping_add(a & b ^ a & c ^ b & c);
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(second));
    }
    for (place, word) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *place = place.wrapping_add(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> String {
        let byte = |byte| format!("{byte:02x}");
        sha256(text.as_bytes()).into_iter().map(byte).collect()
    }

    #[test]
    fn digests_are_those_of_the_standard() {
        assert_eq!(
            hex(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        );
        assert_eq!(
            hex(&"a".repeat(1_000_000)),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        );
    }
}
