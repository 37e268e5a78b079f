//! What the protocol knows.

use super::alarms::{Alarm, Alarms};
use super::pace::Runs;
use super::said::{Call, Effect, Id, Look, News, Question, Rules, Silent, Trouble};
use crate::store::{Asked, Claim};
use lockutils::ordered::{OrderedMap, OrderedSet};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// What is known of the claims of one space, and of its session with the server: a state machine
/// without I/O, threads and clock, see the [module](super).
#[derive(Debug)]
pub struct Protocol {
    pub(super) rules: Rules,
    pub(super) effects: VecDeque<Effect>,
    pub(super) alarms: Alarms,
    pub(super) calls: OrderedMap<Call, UnderWay>,
    /// How many of them ask for a lock or release one.
    asking: usize,
    /// Claims that are to be asked for or released when fewer are.
    pub(super) line: OrderedSet<Id>,
    /// When the server has answered last.
    pub(super) heard: u64,
    pub(super) entries: OrderedMap<Id, Entry>,
    /// The claims of each name, in the order in which they were asked for.
    pub(super) names: BTreeMap<String, Vec<Id>>,
    pub(super) nonces: OrderedMap<u128, Id>,
    pub(super) looks: OrderedMap<Id, Looking>,
    /// How long locks have been had without a break.
    pub(super) runs: Runs,
    /// Holds that have a lease each, by when it is over.
    pub(super) leases: OrderedSet<(u64, Id)>,
    pub(super) link: Link,
    /// Opens that have failed, or sessions that have ended without an answer, in a row.
    pub(super) failures: u32,
    /// Claims that may be granted after they were released, and when they are to be released once
    /// more.
    pub(super) adrift: VecDeque<(u64, Arc<Claim>)>,
    /// What was wrong with the latest of them.
    pub(super) trouble: Option<Trouble>,
    /// Renewals that have failed in a row.
    pub(super) renewals_failed: u32,
    /// The session is to end when nobody needs it.
    pub(super) closing: bool,
    last_call: u64,
    chance: u64,
}

/// The session with the server.
#[derive(Clone, Copy, Debug)]
pub(super) enum Link {
    Closed,
    /// Until [`Alarm::Open`].
    Pausing,
    Opening,
    Open(Open),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    /// The call that has opened it.
    pub(super) number: Call,
    /// That of the session, or of each hold.
    pub(super) lease: u64,
    /// From when on the session's lease counts.
    pub(super) proven: u64,
    pub(super) renewing: bool,
}

/// A claim.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) claim: Arc<Claim>,
    pub(super) asked: Asked,
    pub(super) phase: Phase,
    /// Whether its asker is there, or its guard. Else it is released as soon as that can be done.
    pub(super) is_wanted: bool,
    /// When the last question was sent that was answered with busy. A lease that the server gives
    /// it later counts from then.
    pub(super) busy_at: u64,
    /// The server may know it: that it waits, or that it holds.
    pub(super) is_known: bool,
    /// It was lost before it was known to be held.
    pub(super) is_doubted: bool,
    /// Questions in a row that have failed.
    pub(super) failures: u32,
    /// What was wrong with the last of them.
    pub(super) trouble: Option<Trouble>,
    /// The session that it was asked for in.
    pub(super) session: Call,
}

/// A question about holders.
#[derive(Debug)]
pub(super) struct Looking {
    pub(super) look: Look,
    /// Whether it is under way.
    pub(super) is_asked: bool,
    /// Questions in a row that have failed.
    pub(super) failures: u32,
    /// What was wrong with the last of them.
    pub(super) trouble: Option<Trouble>,
}

/// What is done about a claim.
///
/// | phase | next |
/// |---|---|
/// | Wanted | Asking, when there is a session and nobody of its name is being released |
/// | Asking | Held; Waiting, if busy; Leaving, if nobody knows, or nobody wants it any more |
/// | Waiting | Wanted, when it is worth it; Held, when the server says so |
/// | Held | Lost; Leaving, when its guard is dropped |
/// | Lost | Leaving, when its guard is dropped |
/// | Leaving | Releasing, when there is a session |
/// | Releasing | Leaving, if it has failed; Wanted, if it is wanted still; else it is no more |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Wanted,
    Asking,
    Waiting(Call),
    /// With when its lease is over, where it has its own.
    Held(u64),
    Lost,
    Leaving,
    Releasing(Call),
}

/// A question that is under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    pub(super) purpose: Purpose,
    /// When it was started.
    pub(super) sent: u64,
}

#[derive(Debug)]
pub(super) enum Purpose {
    Open,
    Acquire(Id),
    Freed(Id),
    Release(Id),
    Renew(Vec<Id>),
    /// The release of what is adrift.
    Sweep(Arc<Claim>),
    Look(Id),
    Close,
}

impl Protocol {
    /// Nothing is asked yet. What is left to chance follows from the seed.
    #[must_use]
    pub fn new(rules: Rules, seed: u64) -> Self {
        Self {
            rules,
            effects: VecDeque::new(),
            alarms: Alarms::default(),
            calls: OrderedMap::new(),
            asking: 0,
            line: OrderedSet::new(),
            heard: 0,
            entries: OrderedMap::new(),
            names: BTreeMap::new(),
            nonces: OrderedMap::new(),
            looks: OrderedMap::new(),
            runs: Runs::default(),
            leases: OrderedSet::new(),
            link: Link::Closed,
            failures: 0,
            adrift: VecDeque::new(),
            trouble: None,
            renewals_failed: 0,
            closing: false,
            last_call: 0,
            chance: seed,
        }
    }

    /// Starts a question, which is to be answered within a time.
    pub(super) fn start(
        &mut self,
        now: u64,
        question: Question,
        purpose: Purpose,
        time: u64,
    ) -> Call {
        self.last_call += 1;
        let call = Call(self.last_call);
        self.asking += usize::from(purpose.is_in_line());
        self.calls.insert(call, UnderWay { purpose, sent: now });
        self.alarms
            .set(Alarm::Silent(call), now.saturating_add(time));
        self.effects.push_back(Effect::Start(call, question));
        call
    }

    /// A question that is under way no longer, if it was.
    pub(super) fn end_call(&mut self, call: Call) -> Option<UnderWay> {
        let under_way = self.calls.remove(&call)?;
        self.asking -= usize::from(under_way.purpose.is_in_line());
        self.alarms.clear(Alarm::Silent(call));
        Some(under_way)
    }

    /// Whether one more lock may be asked for or released.
    pub(super) fn has_room(&self) -> bool {
        self.asking < self.rules.most
    }

    pub(super) fn tell(&mut self, id: Id, news: News) {
        self.effects.push_back(Effect::Tell(id, news));
    }

    /// How long the server may be silent.
    pub(super) fn answer_timeout(&self) -> u64 {
        nanoseconds(self.rules.answer_timeout)
    }

    /// The lease, as far as is known.
    pub(super) fn lease(&self) -> u64 {
        match &self.link {
            Link::Open(open) => open.lease,
            _ => nanoseconds(self.rules.lease),
        }
    }

    pub(super) fn silent(&self) -> Trouble {
        Arc::new(Silent(self.rules.answer_timeout))
    }

    /// When something is tried again that has failed some times in a row.
    pub(super) fn pause(&mut self, failures: u32) -> u64 {
        const FIRST: u64 = 20_000_000;
        const LONGEST: u64 = 1_000_000_000;
        let whole = (FIRST << failures.min(6)).min(LONGEST);
        whole / 2 + self.chance() % (whole / 2)
    }

    /// A number by chance: `SplitMix64`.
    fn chance(&mut self) -> u64 {
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Purpose {
    /// Whether there may be only so many at a time, see [`Rules::most`].
    fn is_in_line(&self) -> bool {
        matches!(self, Self::Acquire(_) | Self::Release(_))
    }
}

impl Entry {
    pub(super) fn new(claim: Arc<Claim>, asked: Asked) -> Self {
        Self {
            claim,
            asked,
            phase: Phase::Wanted,
            is_wanted: true,
            busy_at: 0,
            is_known: false,
            is_doubted: false,
            failures: 0,
            trouble: None,
            session: Call(0),
        }
    }
}

impl Looking {
    pub(super) fn new(look: Look) -> Self {
        Self {
            look,
            is_asked: false,
            failures: 0,
            trouble: None,
        }
    }
}

/// When a lease is over for its holder, which began to count at a time.
pub(super) fn end_of(lease: u64, proven: u64) -> u64 {
    proven.saturating_add(lease - lease / 10)
}

/// From when on a lease counts that is over then.
pub(super) fn start_of(lease: u64, end: u64) -> u64 {
    end.saturating_sub(lease - lease / 10)
}

pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
