//! What a contender is, the column it stands in, and the keys it is given.

use std::fmt;

/// Takes a lock as a thread would.
pub(crate) trait Contender: Sync + 'static {
    /// Runs `section` under the lock of `key`, and does what the contender's users
    /// do before and after: look the lock up, release it, clean up.
    fn locked(&self, key: &Key, section: impl FnOnce());
}

/// Takes a lock as a task would.
pub(crate) trait AsyncContender: Sync + 'static {
    /// As [`Contender::locked`].
    async fn locked(&self, key: &Key, section: impl Future<Output = ()>);
}

/// The contenders, as the columns of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    ParkingLot,
    Tokio,
    Guard,
    Attribute,
    KeyedLock,
    Lockable,
    DashMap,
    TokioDashMap,
    Striped,
}

impl Column {
    /// In the order of the table.
    pub(crate) const ALL: [Self; 9] = [
        Self::ParkingLot,
        Self::Tokio,
        Self::Guard,
        Self::Attribute,
        Self::KeyedLock,
        Self::Lockable,
        Self::DashMap,
        Self::TokioDashMap,
        Self::Striped,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ParkingLot => "bare parking_lot",
            Self::Tokio => "bare Tokio",
            Self::Guard => "lockutils, guard",
            Self::Attribute => "lockutils, attribute",
            Self::KeyedLock => "keyed-lock",
            Self::Lockable => "lockable",
            Self::DashMap => "DashMap (leaky)",
            Self::TokioDashMap => "DashMap of Tokio (leaky)",
            Self::Striped => "striped array",
        }
    }

    pub(crate) const fn is_ours(self) -> bool {
        matches!(self, Self::Guard | Self::Attribute)
    }

    /// Whether it is a lock and no more: one mutex, without keys.
    pub(crate) const fn is_bare(self) -> bool {
        matches!(self, Self::ParkingLot | Self::Tokio)
    }
}

/// One of the keys of a workload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    /// `'static`, for the contenders that keep the key of a literal as it is.
    pub(crate) text: &'static str,
    /// For the contenders that are no keyed locks: which of their mutexes it is.
    pub(crate) number: usize,
}

impl Key {
    /// A key that is a literal in the source.
    pub(crate) const LITERAL: Self = Self {
        text: "nightly-backup",
        number: 0,
    };

    /// The key with a number, whose text is a [`UuidText`].
    pub(crate) fn uuid(number: usize) -> Self {
        Self {
            text: UuidText(number).to_string().leak(),
            number,
        }
    }

    /// The key of a number for contenders that take no text.
    pub(crate) const fn number(number: usize) -> Self {
        Self { text: "", number }
    }

    /// An identifier that isn't a small one.
    pub(crate) const fn id(&self) -> u64 {
        7_123_456 + self.number as u64
    }

    /// A key of so many bytes.
    pub(crate) fn long(length: usize) -> Self {
        Self {
            text: "0123456789".repeat(length.div_ceil(10))[..length]
                .to_owned()
                .leak(),
            number: 0,
        }
    }
}

/// A text with the form of a UUID: 36 bytes, different for each number.
pub(crate) struct UuidText(pub(crate) usize);

impl fmt::Display for UuidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number) = self;
        write!(f, "{number:08x}-83b1-4d6e-9f27-{number:012x}")
    }
}

/// Keeps mutexes that different threads use off each other's cache lines, and off
/// pairs of lines that the processor fetches together.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_keys_are_36_bytes_long_and_differ() {
        let (first, last) = (Key::uuid(0), Key::uuid(4095));
        assert_eq!((first.text.len(), last.text.len()), (36, 36));
        assert_ne!(first.text, last.text);
    }
}
