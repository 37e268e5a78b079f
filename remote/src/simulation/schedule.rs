//! What happens in a run, and when: all of it follows from the seed.

use crate::store::{Asked, Shape};
use std::time::Duration;

pub(super) const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLISECOND;

/// Numbers by chance, the same ones for the same seed: `SplitMix64`.
#[derive(Clone, Debug)]
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    pub(super) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub(super) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).expect("an index")]
    }

    /// A time of any size up to this one, small ones as often as large ones.
    pub(super) fn time(&mut self, most: u64) -> u64 {
        let octaves = self.below(10);
        self.between(most >> (octaves + 1), most >> octaves)
    }
}

/// What stays the same in a run.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) shape: Shape,
    pub(super) lease: u64,
    pub(super) answer_timeout: u64,
    /// See [`Rules::most`](crate::protocol::Rules::most).
    pub(super) most: usize,
    pub(super) queue: Queue,
    /// The server is the one that users have in their tests.
    pub(super) is_fake: bool,
    /// The server ends a session when its connection ends; with its lease, where that is the
    /// session's.
    pub(super) ends_with_connection: bool,
    pub(super) course: Course,
    /// How fast the clocks run, in parts per million: the server's, then those of the processes. No two
    /// are more than 5 % apart.
    pub(super) rates: Vec<u64>,
    pub(super) names: u64,
    /// From then on nothing goes wrong.
    pub(super) faults_end: u64,
    /// From then on nobody should notice that anything did.
    pub(super) recovered: u64,
    /// How late a message is at most.
    pub(super) latest: u64,
    pub(super) chance: u64,
}

/// Who has a lock after another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// Whoever asks first when it is free.
    None,
    /// Who asked first: the place in the queue becomes the lock by itself.
    Fifo,
    /// As that, and who waits is told that it has the lock, without another question.
    Told,
    /// Who asked first has it handed over by who releases it, with a lease from then on.
    HandedOver,
}

/// How bad it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    Usual,
    /// Nothing goes wrong that would be a reason to lose what is held.
    Mild,
    /// The server never comes back from its last failure, which is in the end.
    Left,
}

impl Setting {
    pub(super) fn is_mild(&self) -> bool {
        self.course == Course::Mild
    }

    pub(super) fn is_left(&self) -> bool {
        self.course == Course::Left
    }

    /// Whether a lock's fence is drawn when it is granted. Else it is when it is asked for, and the greatest of several
    /// says nothing.
    pub(super) fn has_fences_by_grant(&self) -> bool {
        self.is_fake || !matches!(self.queue, Queue::Fifo | Queue::Told)
    }

    /// Whether the protocol relies on messages not being later than a lease: where they overtake each
    /// other, and what they do doesn't end by itself.
    pub(super) fn is_bounded(&self) -> bool {
        self.shape.one_lease && !self.shape.ordered
    }
}

#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: u64,
    pub(super) what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Ask(Wish),
    Look {
        process: usize,
    },
    /// The process stops, and goes on.
    Pause {
        process: usize,
        time: u64,
    },
    /// The process dies, and another one is started.
    Kill {
        process: usize,
    },
    /// The space is closed, and used again afterwards.
    Close {
        process: usize,
    },
    /// Nothing passes in either direction.
    Cut {
        process: usize,
        time: u64,
    },
    /// The server acts, and nobody is told.
    Swallow {
        process: usize,
        time: u64,
    },
    /// The connection is closed.
    Break {
        process: usize,
    },
    /// The server is restarted.
    Restart {
        time: u64,
        keep: bool,
    },
    /// The server says of who connects that it may not.
    Refuse {
        time: u64,
    },
    /// The server takes a lock away from who holds it.
    Revoke {
        name: u64,
    },
    /// Nothing comes through the connections that the process has, ever again, and nobody says so.
    Deafen {
        process: usize,
    },
    /// Something goes wrong with the process as soon as it has asked the next question.
    Trap {
        process: usize,
        what: Box<What>,
    },
    /// The server is no more.
    Vanish,
}

/// What one asker does.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) process: usize,
    /// One lock, or several that are taken together, in any order.
    pub(super) names: Vec<u64>,
    pub(super) is_shared: bool,
    pub(super) asked: Asked,
    /// How long it waits.
    pub(super) patience: Option<u64>,
    /// How long it holds what it has.
    pub(super) hold: u64,
    /// Whether it goes at once when a lock is lost.
    pub(super) heeds_loss: bool,
    /// Whether it waits until the server has answered to its release.
    pub(super) awaits_release: bool,
}

/// From this seed on a process has one or two questions for locks under way at a time, and the others in line.
const FEW_FROM: u64 = 7_000;

/// All that follows from a seed.
pub(super) fn plan(seed: u64) -> (Setting, Vec<Event>) {
    let mut chance = Chance(seed);
    let mut setting = setting(&mut chance);
    let is_plain = !setting.shape.one_lease && !setting.is_fake;
    if is_plain && Chance(!seed).one_in(2) {
        setting.queue = Queue::HandedOver;
    }
    if setting.queue == Queue::Fifo && Chance(!seed).one_in(2) {
        setting.queue = Queue::Told;
    }
    if seed >= FEW_FROM {
        setting.most = if Chance(!seed).one_in(3) { 2 } else { 1 };
    }
    setting.shape.fair = setting.is_fake || setting.queue != Queue::None;
    let mut events = Vec::new();
    // The events are spread over the time by chance, some of them in bursts.
    let many = chance.between(5, 40);
    let mut at = 0;
    for _ in 0..many {
        at = if chance.one_in(3) {
            (at + chance.time(SECOND)).min(setting.faults_end)
        } else {
            chance.below(setting.faults_end)
        };
        let what = what(&mut chance, &setting, at);
        events.push(Event { at, what });
    }
    if setting.is_left() {
        let at = setting.recovered + chance.below(setting.lease);
        events.push(Event {
            at,
            what: What::Vanish,
        });
    }
    events.extend(last_wishes(&mut chance, &setting));
    events.sort_by_key(|event| event.at);
    (setting, events)
}

/// What everybody wishes when all is well again: each lock, and all of them together.
fn last_wishes(chance: &mut Chance, setting: &Setting) -> Vec<Event> {
    let mut events = Vec::new();
    let processes = 0..setting.rates.len() - 1;
    let mut ask = |chance: &mut Chance, process, names| {
        let at = setting.recovered + chance.below(setting.lease);
        let what = What::Ask(last_wish(chance, setting, process, names));
        events.push(Event { at, what });
    };
    for process in processes.clone() {
        for name in 0..setting.names {
            ask(chance, process, vec![name]);
        }
    }
    let mut chance = Chance(!chance.0);
    for process in processes.clone() {
        ask(&mut chance, process, (0..setting.names).rev().collect());
    }
    // A question that nobody answers is how a process finds out that its connection is dead.
    events.extend(processes.map(|process| Event {
        at: setting.faults_end,
        what: What::Look { process },
    }));
    events
}

fn setting(chance: &mut Chance) -> Setting {
    let lease = chance.of(&[2, 3, 6, 15]) * SECOND;
    let answer_timeout = chance.of(&[300, 1000, 2000, 5000]) * MILLISECOND;
    let shape = Shape {
        one_lease: chance.one_in(2),
        ordered: chance.one_in(2),
        fair: false,
        least_lease: Duration::from_secs(1),
        greatest_lease: Duration::MAX,
    };
    let faults_end = lease * chance.between(2, 8);
    let latest = chance.of(&[answer_timeout / 2, answer_timeout * 3, lease * 3 / 2]);
    let is_bounded = shape.one_lease && !shape.ordered;
    let latest = latest.min(if is_bounded { lease * 3 / 4 } else { u64::MAX });
    let processes = chance.between(2, 4);
    let is_fake = chance.one_in(3);
    let course = match chance.below(6) {
        0 => Course::Mild,
        1 => Course::Left,
        _ => Course::Usual,
    };
    Setting {
        shape,
        lease,
        answer_timeout,
        most: usize::MAX,
        queue: if shape.one_lease && chance.one_in(2) {
            Queue::Fifo
        } else {
            Queue::None
        },
        is_fake,
        // That one knows nothing of connections.
        ends_with_connection: !is_fake && chance.one_in(3),
        course,
        rates: (0..=processes)
            .map(|_| chance.between(976_000, 1_024_000))
            .collect(),
        names: chance.between(1, 3),
        faults_end,
        recovered: faults_end + latest + lease * 2 + answer_timeout * 3 + 3 * SECOND,
        latest,
        chance: chance.next(),
    }
}

fn what(chance: &mut Chance, setting: &Setting, at: u64) -> What {
    let left = setting.faults_end.saturating_sub(at).max(1);
    let process = usize::try_from(chance.below(setting.rates.len() as u64 - 1)).expect("few");
    // What goes wrong lasts up to two leases, but not beyond the end of faults.
    let time = chance.time(setting.lease * 2).min(left);
    match chance.below(26) {
        0 if setting.is_mild() && !setting.shape.one_lease => What::Break { process },
        0..=10 if setting.is_mild() => ask(chance, setting, process),
        number @ 0..=5 => {
            let what = harm(number, process, time);
            if chance.one_in(2) {
                return what;
            }
            What::Trap {
                process,
                what: Box::new(what),
            }
        }
        6 => What::Kill { process },
        7 => What::Restart {
            time,
            keep: !chance.one_in(3),
        },
        8 => What::Refuse { time },
        9 => What::Revoke {
            name: chance.below(setting.names),
        },
        10 => What::Deafen { process },
        11 => What::Look { process },
        12 => What::Close { process },
        _ => ask(chance, setting, process),
    }
}

/// What goes wrong with a process at a time.
fn harm(number: u64, process: usize, time: u64) -> What {
    match number {
        0 | 1 => What::Pause { process, time },
        2 => What::Cut { process, time },
        3 | 4 => What::Swallow { process, time },
        _ => What::Break { process },
    }
}

fn ask(chance: &mut Chance, setting: &Setting, process: usize) -> What {
    // From another sequence, so that what else follows from a seed goes by one question after the other.
    let mut more = Chance(!chance.0);
    let first = chance.below(setting.names);
    let mut names = vec![first];
    while more.one_in(2) && names.len() < 3 {
        names.push(more.below(setting.names));
    }
    What::Ask(Wish {
        process,
        names,
        is_shared: chance.one_in(4),
        asked: chance.of(&[Asked::Once, Asked::Waiting, Asked::Waiting, Asked::Waiting]),
        patience: chance.one_in(2).then(|| chance.time(setting.lease * 2)),
        hold: chance.time(setting.lease * 2),
        heeds_loss: chance.one_in(2),
        awaits_release: more.one_in(2),
    })
}

/// What somebody wishes when nothing goes wrong any more.
fn last_wish(chance: &mut Chance, setting: &Setting, process: usize, names: Vec<u64>) -> Wish {
    Wish {
        process,
        names,
        is_shared: chance.one_in(4),
        asked: Asked::Waiting,
        patience: None,
        hold: chance.time(setting.lease),
        heeds_loss: true,
        awaits_release: true,
    }
}

pub(super) fn name(name: u64) -> String {
    format!("lock {name}")
}

pub(super) fn number_of(name: &str) -> u64 {
    let number = name.strip_prefix("lock ").expect("the name of a lock");
    number.parse().expect("its number")
}
