//! Short pieces of text, moved and looked at in words; and the beginning of long ones.

/// The most that [`copy_short`] copies, and that a key holds in place.
pub(crate) const SHORT: usize = 64;

/// Copies at most 64 of them, which are bytes, to a place of their length, in two pieces that may overlap.
/// They have a fixed size, so they are a few instructions and no call.
#[inline]
pub(crate) fn copy_short<T: Copy>(text: &[T], place: &mut [T]) {
    match text.len() {
        0..4 => {
            // Not a loop, of which the compiler would make the call.
            for at in [0, text.len() / 2, text.len().saturating_sub(1)] {
                if let (Some(to), Some(from)) = (place.get_mut(at), text.get(at)) {
                    *to = *from;
                }
            }
        }
        4..8 => copy_ends::<T, 4>(text, place),
        8..16 => copy_ends::<T, 8>(text, place),
        16..32 => copy_ends::<T, 16>(text, place),
        _ => copy_ends::<T, 32>(text, place),
    }
}

#[inline]
fn copy_ends<T: Copy, const N: usize>(text: &[T], place: &mut [T]) {
    if let (Some(to), Some(from)) = (place.first_chunk_mut::<N>(), text.first_chunk()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (place.last_chunk_mut::<N>(), text.last_chunk()) {
        *to = *from;
    }
}

/// Whether there is a `/` or a `%` in it.
#[inline]
pub(super) fn has_separator(text: &[u8]) -> bool {
    const SLASHES: u64 = u64::from_ne_bytes([b'/'; 8]);
    const PERCENTS: u64 = u64::from_ne_bytes([b'%'; 8]);
    let [mut first, last] = match (text.first_chunk(), text.last_chunk()) {
        (Some(first), Some(last)) => [first, last].map(|word| u64::from_ne_bytes(*word)),
        _ => [few(text), 0],
    };
    let has = |word| has_zero(word ^ SLASHES) | has_zero(word ^ PERCENTS);
    // The last word overlaps the one before it, so that there is none of another length.
    let mut found = has(last);
    let mut rest = text;
    loop {
        found |= has(first);
        rest = rest.get(8..).unwrap_or_default();
        match rest.first_chunk() {
            Some(word) => first = u64::from_ne_bytes(*word),
            None => return found != 0,
        }
    }
}

/// Fewer than eight bytes as one word, in any order.
#[inline]
fn few(text: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk()) {
        let [first, last] = [first, last].map(|half| u64::from(u32::from_ne_bytes(*half)));
        return first << 32 | last;
    }
    text.iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// Other than zero if one of the bytes is.
#[inline]
const fn has_zero(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOPS: u64 = u64::from_ne_bytes([0x80; 8]);
    word.wrapping_sub(ONES) & !word & TOPS
}

/// As much of a text as there is in so many bytes, without half of a character.
pub(crate) fn beginning(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_cut_between_characters() {
        for (most, kept) in [
            (0, ""),
            (1, ""),
            (2, "é"),
            (3, "éx"),
            (4, "éx"),
            (5, "éxß"),
            (9, "éxß"),
        ] {
            assert_eq!(beginning("éxß", most), kept);
        }
    }

    #[test]
    fn short_text_of_every_length_is_copied() {
        let text: Vec<u8> = (1..).take(SHORT).collect();
        for length in 0..=SHORT {
            let mut place = vec![0; length];
            copy_short(&text[..length], &mut place);
            assert_eq!(place, text[..length]);
        }
    }

    proptest! {
        #[test]
        fn separators_are_found_wherever_they_are(text in "[.%/0$&é]{0,40}") {
            prop_assert_eq!(has_separator(text.as_bytes()), text.contains(['/', '%']));
        }
    }

    #[test]
    fn one_separator_is_found_at_every_place_of_every_length() {
        for length in 0..40 {
            let mut text = vec![b'.'; length];
            assert!(!has_separator(&text));
            for at in 0..length {
                for separator in *b"/%" {
                    text[at] = separator;
                    assert!(has_separator(&text), "{at} of {length}");
                }
                text[at] = b'.';
            }
        }
    }
}
