//! What has come out of an entry to be written down.

use super::entry::Entry;
use super::identity::name_part;
use crate::costs::Bill;
use crate::key::Key;

/// What waits have come to. Declared before the mutex is locked, as [`Wakers`](super::entry::Wakers) are and before
/// those, so that it is written down when it is free again and all have been called.
#[derive(Default)]
pub(super) struct Charges(Option<Box<Charge>>);

struct Charge {
    space: u64,
    key: Key,
    bill: Bill,
}

impl Charges {
    #[inline]
    pub(super) fn take(&mut self, entry: &mut Entry) {
        if entry.is_blamed() {
            *self = Self::of(entry, Entry::take_bill);
        }
    }

    /// Those of waits that go on, for what they have come to by now.
    pub(super) fn until_now(entry: &mut Entry) -> Self {
        Self::of(entry, Entry::charge_until_now)
    }

    #[cold]
    fn of(entry: &mut Entry, bill: impl FnOnce(&mut Entry) -> Bill) -> Self {
        let bill = bill(entry);
        if bill.is_empty() {
            return Self(None);
        }
        let (space, key) = (name_part(entry.space), entry.key.clone());
        Self(Some(Box::new(Charge { space, key, bill })))
    }
}

impl Drop for Charges {
    #[inline]
    fn drop(&mut self) {
        if let Some(charge) = self.0.take() {
            post(*charge);
        }
    }
}

#[cold]
fn post(Charge { space, key, bill }: Charge) {
    bill.post(space, &key);
}
