//! The format of `pprof`: a message of protocol buffers, as `profile.proto` has it.
//!
//! A sample is a stack, the leaf first: where it was waited, who had the lock, and the space. The
//! costliest keys have samples of their own, with a label, and the rest of a row has one without.

use super::rows::{Place, Row, Rows};
use crate::costs::Cost;
use crate::ordered::{SortedVec, sort};
use std::time::{SystemTime, UNIX_EPOCH};

/// The profile as a file.
#[inline]
pub(super) fn encode(rows: &Rows) -> Vec<u8> {
    let mut profile = Encoder::default();
    for (kind, unit) in [("contentions", "count"), ("delay", "nanoseconds")] {
        profile.value_type(1, kind, unit);
    }
    for row in &rows.rows {
        profile.row(row);
    }
    profile.value_type(11, "contentions", "count");
    let Encoder {
        mut message,
        texts,
        functions,
        ..
    } = profile;
    message.bytes(&functions.0);
    let mut texts = texts.into_vec();
    sort(&mut texts, |(_, one), (_, other)| one.cmp(other));
    // The first text is empty, always.
    message.field(6, b"");
    for (text, _) in texts {
        message.field(6, text.as_bytes());
    }
    let since = SystemTime::now().checked_sub(rows.lasted);
    let since = since.and_then(|since| since.duration_since(UNIX_EPOCH).ok());
    let nanoseconds = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(0);
    message.number(9, since.map_or(0, nanoseconds));
    message.number(10, nanoseconds(rows.lasted));
    message.number(12, 1);
    message.0
}

#[derive(Default)]
struct Encoder {
    message: Message,
    /// The index of each text in the table of texts, from 1 on.
    texts: SortedVec<String, u64>,
    /// The number of each function, which is that of its location too.
    numbers: SortedVec<(String, u32), u64>,
    functions: Message,
}

impl Encoder {
    #[inline]
    fn text(&mut self, text: &str) -> u64 {
        if text.is_empty() {
            return 0;
        }
        let next = self.texts.len() as u64 + 1;
        *self.texts.get_or_insert(text.to_owned(), next)
    }

    #[inline]
    fn value_type(&mut self, field: u64, kind: &str, unit: &str) {
        let mut inner = Message::default();
        inner.number(1, self.text(kind));
        inner.number(2, self.text(unit));
        self.message.field(field, &inner.0);
    }

    #[inline]
    fn row(&mut self, row: &Row) {
        let stack = [
            self.location(&format!("waited {}", row.waiter.text), Some(&row.waiter)),
            self.location(&format!("held by {}", row.holder.text), Some(&row.holder)),
            self.location(row.space, None),
        ];
        let mut rest = row.cost;
        for (key, cost) in &row.keys {
            rest = rest.without(*cost);
            self.sample(stack, *cost, Some(key.as_str()));
        }
        if rest != Cost::default() || row.keys.is_empty() {
            self.sample(stack, rest, None);
        }
    }

    #[inline]
    fn sample(&mut self, stack: [u64; 3], cost: Cost, key: Option<&str>) {
        let mut sample = Message::default();
        sample.packed(1, &stack);
        sample.packed(2, &[cost.waits, cost.nanoseconds]);
        if let Some(key) = key {
            let mut label = Message::default();
            label.number(1, self.text("key"));
            label.number(2, self.text(key));
            sample.field(3, &label.0);
        }
        self.message.field(2, &sample.0);
    }

    /// The number of a location, which is made with its function if there is none.
    #[inline]
    fn location(&mut self, name: &str, place: Option<&Place>) -> u64 {
        let line = place.map_or(0, |place| place.line);
        let id = (name.to_owned(), line);
        let next = self.numbers.len() as u64 + 1;
        let number = *self.numbers.get_or_insert(id, next);
        if number != next {
            return number;
        }
        let mut at = Message::default();
        at.number(1, number);
        at.number(2, line.into());
        let mut location = Message::default();
        location.number(1, number);
        location.field(4, &at.0);
        self.functions.field(4, &location.0);
        let mut function = Message::default();
        function.number(1, number);
        function.number(2, self.text(name));
        function.number(4, place.map_or(0, |place| self.text(place.file)));
        function.number(5, line.into());
        self.functions.field(5, &function.0);
        number
    }
}

/// A message of protocol buffers.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    #[inline]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    /// A field that is a number. Zero is what it is without.
    #[inline]
    fn number(&mut self, field: u64, value: u64) {
        if value != 0 {
            self.varint(field << 3);
            self.varint(value);
        }
    }

    /// A field that is a text or a message.
    #[inline]
    fn field(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.bytes(bytes);
    }

    /// A field that is several numbers.
    #[inline]
    fn packed(&mut self, field: u64, values: &[u64]) {
        let mut inner = Self::default();
        for value in values {
            inner.varint(*value);
        }
        self.field(field, &inner.0);
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_of_seven_bits_a_byte() {
        let mut message = Message::default();
        message.number(1, 150);
        message.number(2, 0);
        message.field(3, b"ab");
        assert_eq!(message.0, [0x08, 0x96, 0x01, 0x1A, 2, b'a', b'b']);
    }
}
