//! A UUID as text, in registers: with hyphens and in lower case, as its `Display` shows it.
//!
//! Who writes these 36 bytes in words, and then hashes them in words that overlap those, waits until they
//! are in memory, which takes half as long as the lock. So the lock of a UUID is taken by the words
//! alone, of which the [hash](crate::table::hash_uuid) is that of the text.

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
use all_at_once as hexadecimal;
#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
use eight_at_once as hexadecimal;

/// The text of a UUID, in words whose first byte is lowest; half of the last one is empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UuidText(pub(crate) [u64; 5]);

impl UuidText {
    /// How many bytes it has.
    pub(crate) const LENGTH: u8 = 36;

    /// That of these bytes, the first one lowest.
    #[expect(clippy::inline_always, reason = "else it comes back in memory")]
    #[inline(always)]
    pub(crate) fn new(uuid: u128) -> Self {
        let [first, second, third, last] = hexadecimal(uuid);
        let hyphen = u64::from(b'-');
        // 01234567 -89ab-cd ef-0123- 456789ab cdef
        Self([
            first,
            hyphen | (second & 0xFFFF_FFFF) << 8 | hyphen << 40 | (second >> 32) << 48,
            second >> 48 | hyphen << 16 | (third & 0xFFFF_FFFF) << 24 | hyphen << 56,
            third >> 32 | last << 32,
            last >> 32,
        ])
    }

    /// The first 16 bytes, those behind them, and the last 16, which overlap these.
    #[inline]
    pub(crate) const fn parts(self) -> [[u64; 2]; 3] {
        let [first, next, third, fourth, half] = self.0;
        let last = [third >> 32 | fourth << 32, fourth >> 32 | half << 32];
        [[first, next], [third, fourth], last]
    }
}

/// The 32 hexadecimal digits of 16 bytes, in lower case, by instructions that all processors of the kind have. It
/// takes a third of those that [`eight_at_once`] does.
#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "halves, and bytes, as which the instructions take and give them"
)]
#[inline]
fn all_at_once(uuid: u128) -> [u64; 4] {
    use std::arch::x86_64::{
        _mm_add_epi8, _mm_and_si128, _mm_cmpgt_epi8, _mm_cvtsi128_si64, _mm_set_epi64x,
        _mm_set1_epi8, _mm_srli_epi16, _mm_unpackhi_epi8, _mm_unpackhi_epi64, _mm_unpacklo_epi8,
    };

    // SAFETY: the processors of this target have SSE2.
    #[expect(unsafe_code, reason = "instructions that not all processors have")]
    #[allow(unused_unsafe, reason = "from Rust 1.87 on")]
    unsafe {
        let uuid = _mm_set_epi64x((uuid >> 64) as i64, uuid as i64);
        let half = _mm_set1_epi8(0x0F);
        let uppers = _mm_and_si128(_mm_srli_epi16(uuid, 4), half);
        let lowers = _mm_and_si128(uuid, half);
        let texts = [
            _mm_unpacklo_epi8(uppers, lowers),
            _mm_unpackhi_epi8(uppers, lowers),
        ]
        .map(|digits| {
            let text = _mm_add_epi8(digits, _mm_set1_epi8(b'0' as i8));
            let are_letters = _mm_cmpgt_epi8(digits, _mm_set1_epi8(9));
            let to_letters = _mm_set1_epi8((b'a' - b'9' - 1) as i8);
            _mm_add_epi8(text, _mm_and_si128(are_letters, to_letters))
        });
        let [[a, b], [c, d]] = texts.map(|text| {
            [text, _mm_unpackhi_epi64(text, text)].map(|word| _mm_cvtsi128_si64(word) as u64)
        });
        [a, b, c, d]
    }
}

/// The same on other processors.
#[cfg(any(test, not(all(target_arch = "x86_64", target_feature = "sse2"))))]
#[expect(clippy::cast_possible_truncation, reason = "a part of it")]
#[inline]
fn eight_at_once(uuid: u128) -> [u64; 4] {
    use super::digits::bytes;

    [0, 32, 64, 96].map(|shift| {
        // Each byte in two of them, then each half of it in one.
        let part = u64::from((uuid >> shift) as u32);
        let twos = (part | part << 16) & 0x0000_FFFF_0000_FFFF;
        let ones = (twos | twos << 8) & 0x00FF_00FF_00FF_00FF;
        let digits = (ones >> 4 | ones << 8) & bytes(0x0F);
        let letters = ((digits + bytes(6)) >> 4) & bytes(1);
        digits + bytes(b'0') + letters * u64::from(b'a' - b'9' - 1)
    })
}

#[cfg(test)]
mod tests {
    use super::{UuidText, eight_at_once, hexadecimal};
    use proptest::prelude::*;

    /// As bytes.
    fn text(uuid: [u8; 16]) -> String {
        let text = UuidText::new(u128::from_le_bytes(uuid))
            .0
            .map(u64::to_le_bytes);
        let (text, rest) = text.as_flattened().split_at(UuidText::LENGTH.into());
        assert_eq!(rest, [0; 4]);
        String::from_utf8(text.to_vec()).unwrap()
    }

    #[test]
    fn every_byte_has_its_digits_at_every_place() {
        for byte in 0..=u8::MAX {
            let digits = format!("{byte:02x}");
            let [two, four, six] = [2, 4, 6].map(|count| digits.repeat(count));
            assert_eq!(text([byte; 16]), format!("{four}-{two}-{two}-{two}-{six}"));
        }
    }

    proptest! {
        #[test]
        fn digits_are_those_of_fmt(uuid: u128) {
            let digits = format!("{uuid:032x}");
            let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
            prop_assert_eq!(text(uuid.to_be_bytes()), parts.join("-"));
        }

        #[test]
        fn digits_are_the_same_on_all_processors(uuid: u128) {
            prop_assert_eq!(hexadecimal(uuid), eight_at_once(uuid));
        }
    }
}
