//! Characters that mean something where a text stands, written as in URLs: `%2F`.

use std::fmt::Write as _;

/// Writes what is special so, and `%` in any case.
#[must_use]
pub fn encode(text: &str, is_special: impl Fn(char) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for char in text.chars() {
        if char == '%' || is_special(char) {
            for byte in char.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(encoded, "%{byte:02X}");
            }
        } else {
            encoded.push(char);
        }
    }
    encoded
}

/// What was written so; `None` if it is no text, or has a `%` without two hexadecimal digits.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn any_text_comes_back() {
        for text in ["", "a/b", "%2F", "grüße\n\0\u{85}", "%", "100 %"] {
            let encoded = encode(text, |char| char == '/' || char.is_control());
            assert!(!encoded.contains(['/', '\n', '\0', '\u{85}']), "{encoded}");
            assert_eq!(decode(&encoded).as_deref(), Some(text));
        }
        for wrong in ["%", "%2", "a%ZZ", "%FF", "%ü"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
