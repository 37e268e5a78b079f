//! A lock that is free, and somebody is on its way to: meanwhile the fast path is open.
//!
//! A thread that was called to take a lock needs some microseconds to run. If the bucket stayed inflated for its
//! entry until then, all others would have to go through the shard's mutex; and where many threads want one lock all
//! the time, there is always one that was called, so that the fast path would never be open again.
//!
//! So the entry gives up its reservation then: it stays in the table with the queue, and the bucket, of which it
//! is the only entry, is free. Others take the lock by the bucket alone, and release it so. Whoever inflates the bucket
//! ends that state, be it the thread that was called, or somebody who comes to wait, or looks: the entry has its
//! reservation back, and those who have the lock by the bucket at that moment are its holders. So whoever has the
//! shard's mutex, and the bucket inflated, sees a lock that is ajar as any other. Without the bucket inflated it
//! sees the queue alone.
//!
//! 1. Nobody is called by a release that is by the bucket alone. But the first waiter was called before, and comes or
//!    leaves, which ends the state. A task needn't come that was called: those behind it would wait for as long as others
//!    go by the fast path. So the first waiter is a thread.
//! 2. Until that comes it may be overtaken, whatever it has waited for by then. A lock that is fair is handed over at
//!    once instead, so it is never ajar.
//! 3. While it is ajar nobody sees who takes it. To know whom waits are [blamed](super::blame) on, nobody need: the lock
//!    was free when the thread was called, and until that comes all wait for it. Whoever inflates the bucket finds who has
//!    the lock then, who is blamed from then on. Who is told of each hold keeps the bucket inflated.
//! 4. A task that overtakes may close a cycle of waits by that, and doesn't know. The thread that was called
//!    finds it there when it comes or leaves, and looks for the cycle.
//! 5. The bucket may be taken for another lock, too, and then has another entry when it is inflated, which has the
//!    bucket's tickets. So an entry gives those up as well, of which it has none to its holders' names, there being
//!    no holders.

use super::bucket::{Bucket, Written};
use super::entry::Entry;
use super::moment::Moment;
use super::slot::Slots;

/// Leaves a lock ajar, if it may be and its bucket is inflated for its entry and the caller alone. Says whether it is.
pub(super) fn leave(hash: u64, entry: &mut Entry, (bucket, slots): (&Bucket, &Slots)) -> bool {
    // For the entry, and for the caller.
    let may_be = entry.may_be_ajar() && bucket.is_inflated_for(2);
    if may_be {
        entry.has_tickets = false;
        bucket.begin_ajar(slots, hash);
    }
    may_be
}

/// Has the entry of a lock that was ajar know who has it, by what was written down in its bucket, which has been
/// inflated and where it has a reservation again. Gives that back if it is of another lock.
pub(super) fn end(
    entry: &mut Entry,
    (bucket, slots): (&Bucket, &Slots),
    written: Option<Written>,
) -> Option<Written> {
    match written {
        Some(written) if !is_of(&written, entry) => return Some(written),
        Some(written) => {
            // There were reservations for two entries, and it is one.
            bucket.unreserve(slots);
            // They have come later than others have begun to wait, and that is all that is known of when. So what was
            // waited until now is blamed on the thread that was called.
            let now = entry.blame_until_now().unwrap_or_else(Moment::now);
            for (ticket, mut holder) in written.holders.into_iter().flatten() {
                holder.since.is_at_least(now);
                entry.hold(ticket, written.mode, holder);
            }
        }
        None => bucket.begin_joint(),
    }
    entry.has_tickets = true;
    None
}

fn is_of(written: &Written, entry: &Entry) -> bool {
    written.space == entry.space && *written.key.as_bytes() == entry.text
}
