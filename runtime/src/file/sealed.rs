//! Lines in a lock file with a checksum of what they say.
//!
//! Anybody may write into a lock file, and who reads it may see two halves. So what is to be believed
//! is a word that says what it is, the checksum of the rest, and the rest: `NAME=VALUE` words.

/// A line, without its end.
pub(super) fn seal(magic: &str, text: &str) -> String {
    format!("{magic}{:08x} {text}", checksum(text.as_bytes()))
}

/// The same as so many bytes, filled up with blanks before the line's end; `None` if it is longer.
pub(super) fn seal_in<const LENGTH: usize>(magic: &str, text: &str) -> Option<[u8; LENGTH]> {
    let line = seal(magic, text);
    let mut bytes = blank();
    let room = &mut bytes[..LENGTH - 1];
    room.get_mut(..line.len())?.copy_from_slice(line.as_bytes());
    Some(bytes)
}

/// A line of so many bytes that says nothing.
pub(super) const fn blank<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [b' '; LENGTH];
    bytes[LENGTH - 1] = b'\n';
    bytes
}

/// What a line says; `None` if that isn't to be believed. Blanks may follow it.
pub(super) fn unseal<'a>(magic: &str, bytes: &'a [u8]) -> Option<&'a str> {
    let line = std::str::from_utf8(bytes).ok()?;
    let (sum, text) = line.strip_prefix(magic)?.split_at_checked(8)?;
    let text = text.strip_prefix(' ')?.trim_end();
    (u32::from_str_radix(sum, 16).ok()? == checksum(text.as_bytes())).then_some(text)
}

/// The value of a name.
pub(super) fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut words = text.split(' ');
    words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
}

/// What a number says, of whatever size.
pub(super) fn number<N: TryFrom<u64>>(text: &str) -> Option<N> {
    /// Apart from the size, so that the compiler has no more than one of it.
    #[inline(never)]
    fn read(text: &str) -> Option<u64> {
        text.parse().ok()
    }

    N::try_from(read(text)?).ok()
}

/// FNV-1a: for halves of lines, not against forgers, who can write whole ones.
pub(super) fn checksum(text: &[u8]) -> u32 {
    text.iter().fold(0x811C_9DC5, |sum, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}
