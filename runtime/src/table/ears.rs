//! Who is told of each hold in [`exact`](super::exact) mode.

use super::bucket::Bucket;
use super::exact::Listener;
use super::slot::Slots;
use crate::order::held::Holds;
use crate::timeline::recorder::{self, Recorder};

/// Who is told of each hold of a bucket.
///
/// | bit | who |
/// |---|---|
/// | 0 | a [recording](crate::timeline::recorder) |
/// | 1 | who looks at the [order](crate::order) in which locks are taken |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ears(u8);

/// Who is told, by bit.
const LISTENERS: &[(Ears, &dyn Listener)] = &[
    (Ears::RECORDING, &Recorder),
    (Ears::ORDER, &Holds),
    #[cfg(all(test, loom))]
    (Ears::MODEL, &heard::Log),
];

impl Ears {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const RECORDING: Self = Self(1);
    pub(crate) const ORDER: Self = Self(1 << 1);
    #[cfg(all(test, loom))]
    pub(crate) const MODEL: Self = Self(1 << 7);

    #[inline]
    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(crate) const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    pub(crate) const fn have(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }

    /// Who is told of the holds of this bucket of a shard, whose mutex is locked.
    ///
    /// In the child of a fork whose parent records what is kept inflated for that is taken back, of all of the
    /// shard: in the child nobody ends it.
    #[inline]
    pub(super) fn of_bucket<'a>(
        of_shard: &mut [Self],
        buckets: impl Iterator<Item = (&'a Bucket, &'a Slots)>,
        place: usize,
    ) -> Self {
        if of_shard[place].have(Self::RECORDING) && recorder::is_of_parent() {
            Self::forget_parent(of_shard, buckets);
        }
        of_shard[place]
    }

    #[cold]
    fn forget_parent<'a>(
        of_shard: &mut [Self],
        buckets: impl Iterator<Item = (&'a Bucket, &'a Slots)>,
    ) {
        for (ears, (bucket, slots)) in of_shard.iter_mut().zip(buckets) {
            if ears.have(Self::RECORDING) {
                *ears = ears.without(Self::RECORDING);
                bucket.unreserve(slots);
            }
        }
    }

    pub(crate) fn tell(self, tell: impl Fn(&dyn Listener)) {
        for (ear, listener) in LISTENERS {
            if self.0 & ear.0 != 0 {
                tell(*listener);
            }
        }
    }
}

/// What a model hears.
#[cfg(all(test, loom))]
pub(crate) mod heard {
    use crate::sync::{Mutex, statics};
    use crate::table::exact::{Listener, Told};
    use crate::table::moment::Moment;
    use crate::table::place::Ticket;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Heard {
        Acquired,
        Released,
        Disowned,
        Lasts,
    }

    statics! {
        pub(crate) static HEARD: Mutex<Vec<(Heard, (u64, Ticket))>> = Mutex::new(Vec::new());
    }

    pub(crate) struct Log;

    impl Listener for Log {
        fn acquired(&self, hold: &Told<'_>) {
            HEARD.lock().push((Heard::Acquired, hold.id));
        }

        fn released(&self, hold: &Told<'_>, _at: Moment) {
            HEARD.lock().push((Heard::Released, hold.id));
        }

        fn disowned(&self, hold: &Told<'_>) {
            HEARD.lock().push((Heard::Disowned, hold.id));
        }

        fn lasts(&self, hold: &Told<'_>, _at: Moment) {
            HEARD.lock().push((Heard::Lasts, hold.id));
        }
    }
}
