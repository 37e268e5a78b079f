//! JSON, as much of it as is said and heard at the socket of `inspect`, and as a timeline is written in.
//!
//! [`Json`] writes, and never more than so much: a text is cut, and of an array what has no room
//! is counted instead. [`read`] reads a request. [`lock`] has the words for locks and who holds them.
//!
//! What writes is `#[inline]`, as those are who call it.

#[cfg(feature = "inspect")]
pub(crate) mod lock;
#[cfg(all(feature = "inspect", unix))]
pub(crate) mod read;

use std::fmt::{self, Write as _};
use std::time::Duration;

/// No element of an array begins beyond this, in bytes.
#[cfg(feature = "inspect")]
const ROOM: usize = 512 * 1024;

/// So much of a text is written at most, in bytes. A thousand of them end an array.
const TEXT: usize = 4 * 1024;

/// A number that is written as it is.
pub(crate) trait Integer: Copy + fmt::Display {}

impl Integer for usize {}
impl Integer for u64 {}
impl Integer for u32 {}

/// Writes one value after the other. What was written last says whether a comma is due.
#[derive(Default)]
pub(crate) struct Json(String);

impl Json {
    #[inline]
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    #[inline]
    fn separate(&mut self) {
        if !matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(',');
        }
    }

    pub(crate) fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.separate();
        self.0.push('{');
        fields(self);
        self.0.push('}');
    }

    /// The name of a field, whose value is written next.
    #[inline]
    pub(crate) fn field(&mut self, name: &str) -> &mut Self {
        self.separate();
        self.quote(name, TEXT);
        self.0.push(':');
        self
    }

    /// Writes the elements for which there is room; gives the number of the others.
    #[cfg(feature = "inspect")]
    pub(crate) fn array<T>(
        &mut self,
        elements: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) -> usize {
        self.separate();
        self.0.push('[');
        let mut left_off = 0;
        for element in elements {
            if self.0.len() < ROOM {
                write(self, element);
            } else {
                left_off += 1;
            }
        }
        self.0.push(']');
        left_off
    }

    /// A text, of which no more is written than 4 KiB.
    pub(crate) fn text(&mut self, text: impl fmt::Display) {
        self.long_text(text, TEXT);
    }

    /// A text of which no more is written than so many bytes, and an ellipsis if that isn't all.
    pub(crate) fn long_text(&mut self, text: impl fmt::Display, most: usize) {
        self.separate();
        self.quote(text, most);
    }

    #[cfg(feature = "inspect")]
    pub(crate) fn texts<T: fmt::Display>(&mut self, texts: impl IntoIterator<Item = T>) -> usize {
        self.array(texts, Self::text)
    }

    pub(crate) fn number(&mut self, number: impl Integer) {
        self.separate();
        let _ = write!(self.0, "{number}");
    }

    /// A time in nanoseconds as microseconds, exactly.
    #[inline]
    pub(crate) fn microseconds(&mut self, nanoseconds: u64) {
        self.separate();
        let (whole, rest) = (nanoseconds / 1000, nanoseconds % 1000);
        let _ = write!(self.0, "{whole}.{rest:03}");
    }

    #[cfg(feature = "inspect")]
    #[inline]
    pub(crate) fn bool(&mut self, is_so: bool) {
        self.separate();
        self.0.push_str(if is_so { "true" } else { "false" });
    }

    /// A time in seconds, to the millisecond.
    #[inline]
    pub(crate) fn seconds(&mut self, time: Duration) {
        self.separate();
        let _ = write!(self.0, "{:.3}", time.as_secs_f64());
    }

    fn quote(&mut self, text: impl fmt::Display, most: usize) {
        self.0.push('"');
        let end = self.0.len() + most;
        // It fails when there is no room for more.
        if write!(Quoted { json: self, end }, "{text}").is_err() {
            self.0.push('…');
        }
        self.0.push('"');
    }
}

/// The inside of a text.
struct Quoted<'a> {
    json: &'a mut Json,
    end: usize,
}

impl fmt::Write for Quoted<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            let Self {
                json: Json(out),
                end,
            } = self;
            if out.len() >= *end {
                return Err(fmt::Error);
            }
            match char {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                // Also what ends a line in JavaScript, and what a terminal obeys.
                '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}' => {
                    write!(out, "\\u{:04x}", u32::from(char))?;
                }
                char => out.push(char),
            }
        }
        Ok(())
    }
}

#[cfg(all(test, not(loom), feature = "inspect", unix))]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Json)) -> String {
        let mut json = Json::default();
        write(&mut json);
        json.into_text()
    }

    #[test]
    fn commas_are_between_values_alone() {
        let json = written(|json| {
            json.object(|json| {
                json.field("a").number(1_u32);
                json.field("b").texts(["x:", "y{"]);
                json.field("c").object(|_| {});
                json.field("d").array([true, false], Json::bool);
                json.field("e").seconds(Duration::from_micros(1_234_567));
            });
        });
        let whole = r#"{"a":1,"b":["x:","y{"],"c":{},"d":[true,false],"e":1.235}"#;
        assert_eq!(json, whole);
    }

    #[test]
    fn text_is_escaped() {
        let text = "\"\\\n\t\0\u{1b}[2J\u{7f}\u{9b}\u{2028}é🦀</script>";
        let json = written(|json| json.text(text));
        let whole = "\"\\\"\\\\\\n\\u0009\\u0000\\u001b[2J\\u007f\\u009b\\u2028é🦀</script>\"";
        assert_eq!(json, whole);
        // What reads a request reads it back.
        let request = format!("{{\"get\":{json}}}");
        let fields = read::fields(&request).unwrap();
        assert_eq!(
            fields,
            [("get".to_owned(), read::Value::Text(text.to_owned()))]
        );
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let json = written(|json| json.long_text("ééé", 3));
        assert_eq!(json, "\"éé…\"");
        assert_eq!(written(|json| json.long_text("ééé", 6)), "\"ééé\"");
    }

    #[test]
    fn array_is_cut_and_what_is_left_off_counted() {
        let key = "\u{1}".repeat(10_000);
        let mut left_off = 0;
        let json = written(|json| left_off = json.texts(vec![&key; 1000]));
        assert!(json.len() < ROOM + 2 * TEXT, "{}", json.len());
        assert_eq!(json.matches('…').count() + left_off, 1000);
        assert!(json.ends_with("…\"]"));
    }
}
