//! A lock that somebody awaits, or that its bucket has no place for.
//!
//! Invariants of an entry, whenever its shard's mutex is free:
//! 1. It has a holder or a waiter; else it is gone. While it is [ajar](super::ajar) it has waiters, and who has the
//!    lock is known to the bucket alone.
//! 2. If its first waiter could take the lock, that one has been woken (its `waker`
//!    is gone), and will try again or leave. A task that was polled since, and has not
//!    tried this one again, has left another waker, to be woken once more. While it is ajar that one is a thread, and
//!    has been woken, whether somebody has the lock or not.
//! 3. The ticket of a waiter that did not leave is in the queue, or else the lock
//!    has been handed to that waiter, and the ticket is among the holders.
//!
//! No foreign code runs under the mutex: what a waker does, and its drop, waits in
//! [`Wakers`] until the mutex is free.

mod ajar;
mod blamed;
pub(crate) mod look;
mod rest;
mod told;

use super::crowd::{Crowd, Waiter, WaitingHolder};
use super::ears::Ears;
use super::moment::{Moment, Since, Times};
use super::occupant::Occupant;
use super::place::Ticket;
use super::policy::{Mode, Policy};
use super::waits::Waits;
use super::wakers::Wakers;
use crate::arrivals::Arrivals;
use crate::key::Key;
use crate::named;
use crate::observe::outcome::Outcome;
use crate::owner::Owner;
use crate::site::Record;
use crate::timer::Left;
use std::mem;
use std::task::Waker;
use std::time::Duration;

/// How long a waiter can be overtaken: from then on the lock is handed to it.
pub(crate) const OVERTAKE: Duration = Duration::from_millis(1);

/// Has its text behind it, in the same piece of memory, see [`packed`](super::packed).
#[repr(C)]
pub(crate) struct Entry<T: ?Sized = [u8]> {
    /// Unique among the entries of a shard, and by its rest which bucket's it is, see [`EntryId`](super::place::EntryId).
    pub(crate) number: u64,
    pub(crate) space: u64,
    // The space's policy, not as one field: so it shares its word with the mode.
    permits: u32,
    fair: bool,
    /// Whether it has the tickets of its bucket: of who took it by the bucket alone, and of those who join. One
    /// of a bucket's entries has them, or none.
    pub(crate) has_tickets: bool,
    /// Who is told of each hold.
    ears: Ears,
    /// How the present holders hold.
    mode: Mode,
    /// A holder, in a place of its own so that a lock with one needs no more room.
    first: Option<(Ticket, Occupant)>,
    /// From the first waiter or second holder on.
    crowd: Option<Box<Crowd>>,
    /// The key, which is whole UTF-8 text.
    pub(crate) text: T,
}

/// An entry before it has its text.
pub(crate) type Head = Entry<[u8; 0]>;

/// What keeps a waiter from the lock.
pub(crate) enum InTheWay {
    /// The holders leave no room for it.
    Holders,
    /// There is room, but for a waiter before it.
    Waiter(Ticket, Record),
    /// Nothing: it has been called, or will be.
    Nothing,
}

/// What a waiter's next try has come to.
pub(crate) enum Retried {
    /// It has the lock; and since when, if somebody listens.
    Taken(Option<Moment>),
    /// It still waits.
    Queued,
}

/// For whom a lock has room.
#[derive(Clone, Copy)]
enum Room {
    Any,
    Shared,
    None,
}

impl Room {
    fn admits(self, mode: Mode) -> bool {
        match self {
            Self::Any => true,
            Self::Shared => mode == Mode::Shared,
            Self::None => false,
        }
    }
}

impl Head {
    /// A lock that somebody holds.
    pub(crate) const fn new(
        (number, has_tickets): (u64, bool),
        space: u64,
        policy: Policy,
        mode: Mode,
        first: (Ticket, Occupant),
    ) -> Self {
        let Policy { permits, fair } = policy;
        Self {
            number,
            space,
            permits,
            fair,
            has_tickets,
            ears: Ears::NONE,
            mode,
            first: Some(first),
            crowd: None,
            text: [],
        }
    }
}

impl Entry {
    /// A copy of the key.
    pub(crate) fn key(&self) -> Key {
        Key::from_utf8(&self.text)
    }

    /// Somebody else holds it as well, or the same one once more.
    pub(crate) fn held_also(&mut self, ticket: Ticket, occupant: Occupant) {
        self.crowd().insert(ticket, occupant);
    }

    /// A waiter that is in the queue, and what keeps it from the lock. Of the waiters before
    /// it the first that `of` lets in: all that have no room wait for the same holders.
    pub(crate) fn wait(
        &self,
        ticket: Ticket,
        of: impl Fn(Ticket, Owner) -> bool,
    ) -> Option<(Record, InTheWay)> {
        let queue = &self.crowd.as_ref()?.queue;
        let (room, waiter) = (self.room(), queue.get(&ticket)?);
        let in_the_way = match room {
            _ if !room.admits(waiter.mode) => InTheWay::Holders,
            Room::Any => InTheWay::Nothing,
            Room::Shared | Room::None => queue
                .before(ticket)
                .find(|(ticket, waiter)| {
                    !room.admits(waiter.mode) && of(**ticket, waiter.record.owner)
                })
                .map_or(InTheWay::Nothing, |(ticket, waiter)| {
                    InTheWay::Waiter(*ticket, waiter.record)
                }),
        };
        Some((waiter.record, in_the_way))
    }

    /// The task that was called before a waiter and hasn't come since, if the lock is that one's before the waiter's.
    /// With several permits, or where both share the lock, the waiter has it when a holder goes.
    pub(crate) fn called_before(&self, ticket: Ticket) -> Option<(Ticket, Record)> {
        let (room, queue) = (self.room(), &self.crowd.as_ref()?.queue);
        let (first, called) = queue.first()?;
        let modes = [called.mode, queue.get(&ticket)?.mode];
        let is_let_in = self.permits > 1 || modes.into_iter().all(|mode| room.admits(mode));
        let is_in_the_way = self.first.is_none() || !is_let_in;
        let is_task = called.called.is_some() && !called.record.owner.is_thread();
        (*first < ticket && is_task && is_in_the_way).then_some((*first, called.record))
    }

    /// The holders who wait for some lock.
    pub(crate) fn waiting_holders(&mut self, waits: &Waits) -> Vec<WaitingHolder> {
        let mut holders = match &mut self.crowd {
            Some(crowd) => crowd.waiting(waits),
            None => Vec::new(),
        };
        let first = self
            .first
            .filter(|(_, first)| waits.is_waiting(first.record.owner));
        holders.extend(first.map(|(ticket, first)| WaitingHolder {
            ticket,
            record: first.record,
            holds: 1,
        }));
        holders
    }

    /// Who keeps a waiting thread from the lock, if that is a task: one of the holders, or
    /// where there are several permits all of them; or one that has been called, and does not
    /// come.
    pub(crate) fn task_in_the_way(&mut self, ticket: Ticket) -> Option<(Ticket, Record)> {
        let (_, in_the_way) = self.wait(ticket, |_, _| true)?;
        let of_task = |(_, record): &(Ticket, Record)| !record.owner.is_thread();
        let crowd = self.crowd.as_mut()?;
        if let InTheWay::Nothing = in_the_way {
            let (ticket, waiter) = crowd.queue.first()?;
            return Some((*ticket, waiter.record)).filter(of_task);
        }
        let first = self.first.map(|(ticket, first)| (ticket, first.record));
        let first = first.filter(of_task);
        if self.permits == 1 {
            first.or_else(|| crowd.find_task())
        } else {
            first.filter(|_| !crowd.has_thread())
        }
    }

    pub(crate) fn is_held_by(&self, ticket: Ticket) -> bool {
        let others = self.crowd.as_ref().map(|crowd| crowd.holders());
        self.first.is_some_and(|(first, _)| first == ticket)
            || others.is_some_and(|others| others.contains_key(&ticket))
    }

    pub(crate) const fn has_one_permit(&self) -> bool {
        self.permits == 1
    }

    pub(crate) fn holder_count(&self) -> usize {
        let others = self.crowd.as_ref().map_or(0, |crowd| crowd.holders().len());
        usize::from(self.first.is_some()) + others
    }

    pub(crate) fn first_waiter(&self) -> Option<Ticket> {
        let (ticket, _) = self.crowd.as_ref()?.queue.first()?;
        Some(*ticket)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.first.is_none() && self.first_waiter().is_none()
    }

    /// For whom the present holders leave room.
    fn room(&self) -> Room {
        match self.holder_count() {
            0 => Room::Any,
            count if count < self.permits as usize => Room::Any,
            _ if self.permits == 1 && self.mode == Mode::Shared => Room::Shared,
            _ => Room::None,
        }
    }

    /// Whether a newcomer or a later waiter may take the lock before the first waiter. None may
    /// join shared holders so, or else an exclusive waiter could wait for ever.
    fn may_overtake(&self) -> bool {
        !self.fair && (self.permits > 1 || self.first.is_none())
    }

    /// Takes the lock if there is room.
    pub(crate) fn try_take(&mut self, mode: Mode, record: Record) -> Option<Ticket> {
        let in_turn = self.first_waiter().is_none() || self.may_overtake();
        if !(in_turn && self.room().admits(mode)) {
            return None;
        }
        let ticket = self.ticket_to_join(mode);
        let since = self.begin_of_hold();
        self.hold(ticket, mode, Occupant { record, since });
        Some(ticket)
    }

    /// Goes straight in where the same thread holds the lock already, not only
    /// shared if `mode` is exclusive.
    pub(crate) fn try_reenter(&mut self, mode: Mode, record: Record) -> Option<Ticket> {
        let owner = record.owner;
        let crowd = self.crowd.as_mut();
        let holds = self
            .first
            .is_some_and(|(_, first)| first.record.owner == owner)
            || crowd.is_some_and(|crowd| crowd.is_held_by(owner));
        let as_well = self.mode == mode || mode == Mode::Shared || self.permits > 1;
        if !(holds && as_well) {
            return None;
        }
        let ticket = Ticket::draw();
        let since = self.begin_of_hold();
        let occupant = Occupant { record, since };
        if self.is_blamed() {
            self.blame_also(occupant);
        }
        self.crowd().insert(ticket, occupant);
        if self.is_heard() {
            self.tell_acquired(ticket, occupant);
        }
        Some(ticket)
    }

    /// Joins the end of the queue, at which moment is given as well. Whether its wait `is_heard` of is
    /// whether it is blamed on anybody.
    pub(crate) fn enqueue(
        &mut self,
        mode: Mode,
        record: Record,
        (waker, left): (Waker, Option<Left>),
        is_heard: bool,
    ) -> (Ticket, Moment) {
        let now = Moment::now();
        let waiter = Waiter {
            mode,
            record,
            waker: Some(waker),
            times: Times::new(now, left.map(Left::get)),
            called: None,
            label: named::current(),
            mark: is_heard.then(|| self.blame_from(now).mark()),
        };
        let ticket = Ticket::draw();
        if let Some((_, first)) = &mut self.first {
            first.since.is_at_least(now);
        }
        let crowd = self.crowd();
        if crowd.queue.is_empty() {
            crowd.contended = Some(now);
        }
        crowd.queue.push(ticket, waiter);
        (ticket, now)
    }

    /// When a hold begins that begins now, as far as somebody waits or is told: then the clock is
    /// looked at.
    fn begin_of_hold(&mut self) -> Since {
        if self.is_heard() || self.first_waiter().is_some() {
            Since::at(self.moment_of_hold())
        } else {
            Since::UNKNOWN
        }
    }

    fn moment_of_hold(&mut self) -> Moment {
        self.blame_until_now().unwrap_or_else(Moment::of_hold)
    }

    /// A waiter's next try, who is `heard` of since it has waited if somebody listens to it. Says whether
    /// it has the lock now; else `waker` is left in the queue.
    pub(crate) fn retry(
        &mut self,
        ticket: Ticket,
        owner: Owner,
        heard: Option<Moment>,
        waker: &mut Option<Waker>,
        wakers: &mut Wakers,
    ) -> Retried {
        let (room, overtakes) = (self.room(), self.may_overtake());
        let in_turn = overtakes || self.first_waiter() == Some(ticket);
        let Some(waiter) = self.crowd().queue.get_mut(&ticket) else {
            // Handed over, by invariant 3.
            return Retried::Taken(self.come(ticket, owner, heard));
        };
        waiter.record.owner = owner;
        if !(in_turn && room.admits(waiter.mode)) {
            waiter.called = None;
            wakers.to_drop = mem::replace(&mut waiter.waker, waker.take());
            return Retried::Queued;
        }
        let now = self.blame_until_now();
        let mut waiter = self.crowd().queue.remove(&ticket).expect("it is there");
        wakers.to_drop = waiter.waker.take();
        self.end_wait(&waiter, now);
        if let (Some(called), Some(now)) = (waiter.called, now) {
            self.note_hand_over(called, now);
        }
        if let Some(heard) = heard {
            let who = (waiter.record, waiter.mode);
            self.note_wait(heard, now, who, Outcome::Acquired);
        }
        let since = Since::at(now.unwrap_or_else(Moment::of_hold));
        self.admit(ticket, waiter, since);
        self.pass_on(now, wakers);
        Retried::Taken(now)
    }

    /// A waiter goes on that the lock was handed to, under the name that it had at its last try. Gives the
    /// moment, if somebody listens.
    fn come(&mut self, ticket: Ticket, owner: Owner, heard: Option<Moment>) -> Option<Moment> {
        let now = self.end_hand_over(ticket, heard, Outcome::Acquired);
        let holder = self.occupant(ticket)?;
        holder.since.come();
        if holder.record.owner != owner {
            self.rename(ticket, owner);
        }
        now
    }

    /// A task has another waker by now, by which it is known from here on.
    #[cold]
    fn rename(&mut self, ticket: Ticket, owner: Owner) {
        if self.is_heard() {
            self.tell_disowned(ticket);
        }
        self.set_owner(ticket, owner);
        if let (true, Some(holder)) = (self.is_heard(), self.holder_of(ticket)) {
            self.tell_acquired(ticket, holder);
        }
    }

    fn occupant(&mut self, ticket: Ticket) -> Option<&mut Occupant> {
        match (&mut self.first, &mut self.crowd) {
            (Some((first, holder)), _) if *first == ticket => Some(holder),
            (_, Some(crowd)) => crowd.get_mut(ticket),
            (_, None) => None,
        }
    }

    /// Clears the owner of a hold: its guard may be dropped by any thread.
    pub(crate) fn disown(&mut self, ticket: Ticket) {
        if self.is_heard() {
            self.tell_disowned(ticket);
        }
        self.set_owner(ticket, Owner::UNKNOWN);
    }

    fn set_owner(&mut self, ticket: Ticket, owner: Owner) {
        match (&mut self.first, &mut self.crowd) {
            (Some((first, holder)), _) if *first == ticket => holder.record.owner = owner,
            (_, Some(crowd)) => crowd.set_owner(ticket, owner),
            (_, None) => {}
        }
    }

    /// Ends a hold.
    pub(crate) fn release(&mut self, ticket: Ticket, wakers: &mut Wakers) {
        #[cfg(feature = "usdt")]
        self.tell_of_release(ticket);
        let now = self.blame_until_now();
        let mut crowd = self.crowd.as_mut();
        if let Some(crowd) = &mut crowd {
            crowd.labels.remove(&ticket);
        }
        let mut gone = None;
        if let Some((_, first)) = self.first.filter(|(first, _)| *first == ticket) {
            gone = Some(first);
            self.first = crowd.and_then(|crowd| crowd.pop_first());
        } else if let Some(crowd) = crowd {
            gone = crowd.remove(ticket);
        }
        if self.is_blamed() {
            self.blame_no_more(gone, now);
        }
        if let (true, Some(gone)) = (self.is_heard(), gone) {
            self.tell_released(ticket, gone, now);
        }
        self.pass_on(now, wakers);
    }

    /// Calls a waiter to try again, if it is still in the queue.
    pub(crate) fn call(&mut self, ticket: Ticket, wakers: &mut Wakers) {
        let queue = self.crowd.as_mut().map(|crowd| &mut crowd.queue);
        if let Some(waiter) = queue.and_then(|queue| queue.get_mut(&ticket)) {
            wakers.call_later(waiter.waker.take());
        }
    }

    /// Has a waiter be called again when there is room, if it was called before. It is no less in the way of those
    /// behind it.
    pub(crate) fn recall(&mut self, ticket: Ticket, waker: &mut Option<Waker>) {
        let queue = self.crowd.as_mut().map(|crowd| &mut crowd.queue);
        if let Some(waiter) = queue.and_then(|queue| queue.get_mut(&ticket)) {
            if waiter.waker.is_none() {
                waiter.waker = waker.take();
            }
        }
    }

    /// Takes a waiter out of the queue, or ends its hold if the lock was already handed to it. Gives
    /// the moment, if somebody listens.
    pub(crate) fn leave(
        &mut self,
        ticket: Ticket,
        heard: Option<Moment>,
        outcome: Outcome,
        wakers: &mut Wakers,
    ) -> Option<Moment> {
        let now = self.blame_until_now();
        if let Some(waiter) = self.crowd().queue.remove(&ticket) {
            self.end_wait(&waiter, now);
            if let Some(heard) = heard {
                self.note_wait(heard, now, (waiter.record, waiter.mode), outcome);
            }
            wakers.to_drop = waiter.waker;
            self.pass_on(now, wakers);
            return now;
        }
        // Handed over, by invariant 3.
        let now = self.end_hand_over(ticket, heard, outcome);
        self.release(ticket, wakers);
        now
    }

    /// Restores invariant 2 after there is more room, or another first waiter. `now` if the clock
    /// has been looked at already.
    fn pass_on(&mut self, mut now: Option<Moment>, wakers: &mut Wakers) {
        let is_blamed = now.is_some();
        loop {
            let room = self.room();
            let queue = self.crowd.as_mut().map(|crowd| &mut crowd.queue);
            let Some((ticket, waiter)) = queue.and_then(Arrivals::first_mut) else {
                return;
            };
            if !room.admits(waiter.mode) {
                return;
            }
            let now = *now.get_or_insert_with(Moment::now);
            if !self.fair && waiter.times.waited(now) < OVERTAKE {
                // It takes the lock, unless somebody is faster. There is no waker if
                // it was woken before and has not come yet: then once is enough.
                if waiter.waker.is_some() {
                    waiter.called = Some(now);
                }
                wakers.call_later(waiter.waker.take());
                return;
            }
            let mut waiter = self.crowd().queue.remove_first().expect("it is there");
            wakers.call_later(waiter.waker.take());
            self.end_wait(&waiter, is_blamed.then_some(now));
            self.admit(ticket, waiter, Since::handed_over(now));
        }
    }

    /// Gives the lock to a waiter that has left the queue.
    fn admit(&mut self, ticket: Ticket, waiter: Waiter, since: Since) {
        let (mode, record) = (waiter.mode, waiter.record);
        self.hold(ticket, mode, Occupant { record, since });
        if let Some(label) = waiter.label {
            self.crowd().labels.insert(ticket, label);
        }
    }

    /// There is another holder.
    pub(super) fn hold(&mut self, ticket: Ticket, mode: Mode, occupant: Occupant) {
        self.mode = mode;
        if self.is_blamed() {
            self.blame_also(occupant);
        }
        if self.first.is_none() {
            self.first = Some((ticket, occupant));
        } else {
            self.crowd().insert(ticket, occupant);
        }
        if self.is_heard() {
            self.tell_acquired(ticket, occupant);
        }
    }

    #[inline(never)]
    fn crowd(&mut self) -> &mut Crowd {
        self.crowd.get_or_insert_default()
    }
}

/// A million locks at once are to fit in little memory.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Head>() <= 64);
