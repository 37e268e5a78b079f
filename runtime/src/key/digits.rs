//! Numbers as text, in registers: of eight digits at once, each in a byte of a word, and without
//! a loop or a table. `fmt` takes longer for a number than the lock does; and what writes a text
//! in pieces has to wait until they are in memory, before it can hash them in other ones.

/// What has no more than the digits of a [`Word`] is less.
pub(super) const WORD: u64 = 100_000_000;

/// Up to eight bytes of text, the first one lowest.
#[derive(Clone, Copy)]
pub(super) struct Word {
    pub(super) text: u64,
    pub(super) length: u8,
}

/// The digits of a number below [`WORD`].
#[expect(clippy::cast_possible_truncation, reason = "up to seven zeros")]
#[inline]
pub(super) const fn decimal(number: u64) -> Word {
    // The last digit stands there also if it is zero.
    let digits = eight(number);
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    Word {
        text: (digits + bytes(b'0')) >> (8 * zeros),
        length: 8 - zeros as u8,
    }
}

/// The same with the zeros before them.
#[inline]
pub(super) const fn padded(number: u64) -> Word {
    Word {
        text: eight(number) + bytes(b'0'),
        length: 8,
    }
}

/// The byte in every byte.
pub(super) const fn bytes(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Eight digits, each as the number that it is.
#[inline]
const fn eight(number: u64) -> u64 {
    // Four numbers of two digits, of which none waits for another, and then eight of one. To divide
    // four at once, they are multiplied with what is, for so few digits, close enough to a tenth.
    let [two, four, six] = [number / 100, number / 10_000, number / 1_000_000];
    let twos = [six, four - 100 * six, two - 100 * four, number - 100 * two];
    let twos = twos[0] | twos[1] << 16 | twos[2] << 32 | twos[3] << 48;
    let tens = ((103 * twos) >> 10) & 0x000F_000F_000F_000F;
    tens | (twos - 10 * tens) << 8
}

#[cfg(test)]
mod tests {
    use super::{WORD, Word, decimal, padded};
    use proptest::prelude::*;

    fn text(Word { text, length }: Word) -> String {
        let bytes = text.to_le_bytes();
        String::from_utf8(bytes[..length.into()].to_vec()).unwrap()
    }

    fn check(number: u64) {
        assert_eq!(text(decimal(number)), number.to_string());
        assert_eq!(text(padded(number)), format!("{number:08}"));
    }

    /// So every part of a word has been every number that it may be.
    #[test]
    fn digits_of_each_part_are_those_of_fmt() {
        for number in 0..10_000 {
            check(number);
            check(number * 10_000 + (9_999 - number));
        }
    }

    #[test]
    fn digits_of_each_length_are_those_of_fmt() {
        for power in (0..8).map(|power| 10_u64.pow(power)) {
            (power - 1..=power + 1).for_each(check);
        }
        check(WORD - 1);
    }

    proptest! {
        #[test]
        fn digits_are_those_of_fmt(number in 0..WORD) {
            check(number);
        }
    }
}
