//! A model of how processes find deadlocks between them, see [`across`](super::across): some processes, each
//! with a thread that takes two files and one that looks, in any order, by chance from a seed.
//!
//! The lines, the search and what two looks come to are the real ones; what the threads do is written down
//! here once more, a step for each thing that another thread or process may come between: the mark
//! and the mutexes of a process, and the two halves of a line that is being written. All steps see what
//! was before them, so this says nothing of the ordering of memory, which is that of two mutexes.
//!
//! What is reported must have been there: from the end of the first of two looks to the begin of the
//! second, each thread in the cycle held its file, and waited for the next. Each [`Fault`] that
//! can be built in is found by that.

mod look;

use super::behind::{BLANK, LENGTH, Lines, MOST, START, Write};
use super::follow::Seen;
use super::teller::Teller;
use std::collections::{BTreeMap, VecDeque};
use std::mem;

const PROCESSES: usize = 3;
const FILES: usize = 3;

/// How many runs there are, and how long each is.
const SEEDS: u64 = 60;
const STEPS: u64 = 3000;

/// How long a wait lasts before it is said, in steps.
const SETTLED: u64 = 6;

/// What is wrong with the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// A cycle is reported by the first look that finds it.
    ReportsAtOnce,
    /// Cycles are told apart by their processes, and not by their waits.
    ForgetsNumbers,
    /// A wait ends without a look at the mark.
    IgnoresMark,
    /// Lines are believed though their process is gone.
    BelievesTheDead,
}

/// From when to when something was so.
#[derive(Clone, Copy)]
struct Episode {
    begin: u64,
    end: Option<u64>,
}

struct File {
    bytes: Vec<u8>,
    holder: Option<usize>,
}

/// What the thread that takes files does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Take(usize),
    Ask(usize),
    LookAtMark(usize),
    Retract(usize),
    Blank(usize),
    /// At an offset.
    BlankRest(usize, usize),
    UnlockKnown,
    GoOn(usize),
    Release(usize),
    Unlock(usize),
}

struct Known {
    number: u64,
    stuck: Stuck,
    since: u64,
    seen: Seen,
    /// When the last look at it ended.
    looked: u64,
}

/// A holder that waits, by its episodes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stuck {
    file: usize,
    on: usize,
    hold: usize,
    wait: usize,
}

struct Process {
    pid: u32,
    steps: VecDeque<Step>,
    holds: BTreeMap<usize, usize>,
    /// The file that it waits for, and the episode.
    waits: Option<(usize, usize)>,
    known: Vec<Known>,
    known_is_locked: bool,
    /// By file: the mark, whether something is said, and who has the file's mutex.
    marked: [bool; FILES],
    says: [bool; FILES],
    writes: [bool; FILES],
    releases: [bool; FILES],
    looks: bool,
    /// Of how many steps its thread takes one.
    slowness: usize,
    looks_one_in: usize,
}

struct World {
    fault: Fault,
    chance: u64,
    now: u64,
    teller: Teller,
    files: Vec<File>,
    processes: Vec<Process>,
    episodes: Vec<Episode>,
    /// Whether nobody does anything between the steps of a look.
    is_quiet: bool,
    kills_one_in: usize,
    gives_up_one_in: usize,
    /// What each number of a wait stands for, and whose it is.
    numbers: BTreeMap<u64, (u32, Stuck)>,
    reports: usize,
    /// What was reported and not there.
    wrong: Option<String>,
}

impl Process {
    fn new(pid: u32) -> Self {
        Self {
            pid,
            steps: VecDeque::new(),
            holds: BTreeMap::new(),
            waits: None,
            known: Vec::new(),
            known_is_locked: false,
            marked: [false; FILES],
            says: [false; FILES],
            writes: [false; FILES],
            releases: [false; FILES],
            looks: false,
            slowness: 1,
            looks_one_in: 1,
        }
    }
}

impl World {
    /// So many steps.
    fn run(fault: Fault, seed: u64) -> Self {
        let mut world = Self::new(fault, seed);
        let (files, processes) = (world.below(2 * FILES), world.below(2 * PROCESSES));
        world.files.truncate(2.max(files));
        world.processes.truncate(2.max(processes));
        world.kills_one_in = 10 + world.below(200);
        world.gives_up_one_in = 4 + world.below(60);
        for index in 0..world.processes.len() {
            world.processes[index].slowness = 1 + world.below(12);
            world.processes[index].looks_one_in = 2 + world.below(20);
        }
        while world.now < STEPS && world.wrong.is_none() {
            world.step();
        }
        world
    }

    fn new(fault: Fault, seed: u64) -> Self {
        let file = || File {
            bytes: vec![0; START + MOST * LENGTH],
            holder: None,
        };
        Self {
            fault,
            chance: seed,
            now: 0,
            teller: Teller::new().unwrap(),
            files: (0..FILES).map(|_| file()).collect(),
            // No process has such an id.
            processes: (5_000_000..).take(PROCESSES).map(Process::new).collect(),
            is_quiet: false,
            kills_one_in: 1,
            gives_up_one_in: 1,
            episodes: Vec::new(),
            numbers: BTreeMap::new(),
            reports: 0,
            wrong: None,
        }
    }

    /// A number by chance: `SplitMix64`.
    fn below(&mut self, most: usize) -> usize {
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % most as u64).unwrap()
    }

    fn begin(&mut self) -> usize {
        let begin = self.now;
        self.episodes.push(Episode { begin, end: None });
        self.episodes.len() - 1
    }

    fn end(&mut self, episode: usize) {
        self.episodes[episode].end = Some(self.now);
    }

    /// Others do something, or not.
    fn pause(&mut self) {
        let most = if self.below(8) == 0 { 60 } else { 4 };
        let count = if self.is_quiet { 0 } else { self.below(most) };
        for _ in 0..count {
            self.step();
        }
    }

    /// Somebody does something.
    fn step(&mut self) {
        self.now += 1;
        let index = self.below(self.processes.len());
        if self.processes[index].looks || self.below(self.processes[index].looks_one_in) > 0 {
            if self.below(self.processes[index].slowness) == 0 {
                self.take(index);
            }
        } else if self.below(self.kills_one_in) == 0 {
            self.kill(index);
        } else {
            self.processes[index].looks = true;
            self.look(index);
            self.processes[index].looks = false;
        }
    }

    /// A step of the thread that takes files.
    fn take(&mut self, index: usize) {
        let Some(step) = self.processes[index].steps.pop_front() else {
            let count = self.files.len();
            let first = self.below(count);
            let next = (first + 1 + self.below(count - 1)) % count;
            self.processes[index]
                .steps
                .extend([Step::Take(first), Step::Ask(next)]);
            return;
        };
        if !self.perform(index, step) {
            self.processes[index].steps.push_front(step);
        }
    }

    /// Whether it is done.
    fn perform(&mut self, index: usize, step: Step) -> bool {
        match step {
            Step::Take(file) => {
                if self.files[file].holder.is_some() {
                    return false;
                }
                self.hold(index, file);
            }
            Step::Ask(file) => return self.ask(index, file),
            Step::LookAtMark(file) => {
                if self.processes[index].marked[file] && self.fault != Fault::IgnoresMark {
                    self.processes[index].steps.push_front(Step::Retract(file));
                }
            }
            Step::Retract(file) => {
                let process = &mut self.processes[index];
                if process.known_is_locked {
                    return false;
                }
                process.known_is_locked = true;
                process.steps.push_front(Step::UnlockKnown);
                let waits = process.waits;
                let is_over =
                    |stuck: Stuck| stuck.on == file && waits != Some((stuck.on, stuck.wait));
                let (over, left) = mem::take(&mut process.known)
                    .into_iter()
                    .partition::<Vec<_>, _>(|known| is_over(known.stuck));
                process.known = left;
                for known in over {
                    self.unsay(index, known.stuck.file);
                }
            }
            Step::Blank(file) => self.blank(index, file),
            Step::BlankRest(file, offset) => self.write(file, &(offset, BLANK), true),
            Step::UnlockKnown => self.processes[index].known_is_locked = false,
            Step::GoOn(wait) => self.end(wait),
            Step::Release(file) => {
                if self.processes[index].writes[file] {
                    return false;
                }
                self.processes[index].releases[file] = true;
                self.processes[index].steps.push_front(Step::Unlock(file));
                self.unsay(index, file);
            }
            Step::Unlock(file) => {
                self.files[file].holder = None;
                let hold = self.processes[index].holds.remove(&file).unwrap();
                self.end(hold);
                self.processes[index].releases[file] = false;
            }
        }
        true
    }

    fn hold(&mut self, index: usize, file: usize) {
        self.files[file].holder = Some(index);
        let hold = self.begin();
        self.processes[index].holds.insert(file, hold);
    }

    fn ask(&mut self, index: usize, file: usize) -> bool {
        let is_free = self.files[file].holder.is_none();
        let gives_up = self.below(self.gives_up_one_in) == 0;
        let first = *self.processes[index].holds.keys().next().unwrap();
        let Some((_, wait)) = self.processes[index].waits else {
            let wait = self.begin();
            self.processes[index].waits = Some((file, wait));
            return false;
        };
        if !is_free && !gives_up {
            return false;
        }
        self.processes[index].waits = None;
        let steps = &mut self.processes[index].steps;
        steps.extend([Step::LookAtMark(file), Step::GoOn(wait)]);
        if is_free {
            steps.push_back(Step::Release(file));
        }
        steps.push_back(Step::Release(first));
        if is_free {
            self.hold(index, file);
        }
        true
    }

    /// The thread is to take back what was said before anything else.
    fn unsay(&mut self, index: usize, file: usize) {
        let process = &mut self.processes[index];
        if mem::take(&mut process.says[file]) {
            process.steps.push_front(Step::Blank(file));
        }
    }

    fn lines(&self, file: usize) -> Lines {
        let bytes = &self.files[file].bytes;
        let read = |into: &mut [u8]| {
            into.copy_from_slice(bytes);
            Ok(bytes.len())
        };
        Lines::read(read).unwrap()
    }

    /// Writes one half of a line.
    fn write(&mut self, file: usize, (offset, line): &Write, is_end: bool) {
        let middle = 90 + self.below(60);
        let part = if is_end { 0..LENGTH } else { 0..middle };
        self.files[file].bytes[*offset..][part.clone()].copy_from_slice(&line[part]);
    }

    /// Begins to take back what was said.
    fn blank(&mut self, index: usize, file: usize) {
        let (pid, namespace) = (self.processes[index].pid, self.teller.namespace);
        if let Some(write) = self.lines(file).retraction(pid, namespace) {
            self.write(file, &write, false);
            let rest = Step::BlankRest(file, write.0);
            self.processes[index].steps.push_front(rest);
        }
    }

    /// A process ends, and what it has said stays. Another one comes in its place.
    fn kill(&mut self, index: usize) {
        let process = &mut self.processes[index];
        let waits = process.waits.map(|(_, wait)| wait);
        let holds = mem::take(&mut process.holds);
        let pid = process.pid + 10;
        *process = Process {
            slowness: process.slowness,
            looks_one_in: process.looks_one_in,
            ..Process::new(pid)
        };
        for (file, hold) in holds {
            self.files[file].holder = None;
            self.end(hold);
        }
        if let Some(wait) = waits {
            self.end(wait);
        }
    }
}

#[test]
fn nothing_is_reported_that_was_not_there() {
    let mut reports = 0;
    for seed in 0..SEEDS {
        let world = World::run(Fault::Nothing, seed);
        assert_eq!(world.wrong, None, "seed {seed}");
        reports += world.reports;
    }
    assert!(reports > 20, "{reports}");
}

#[test]
fn each_fault_is_found() {
    for fault in [
        Fault::ReportsAtOnce,
        Fault::IgnoresMark,
        Fault::BelievesTheDead,
    ] {
        let found = (0..20 * SEEDS).find(|seed| World::run(fault, *seed).wrong.is_some());
        assert!(found.is_some(), "{fault:?}");
    }
}

/// One of two ends its wait between two looks of the other, and waits again before that has noticed.
fn waits_again(fault: Fault) -> World {
    let mut world = World::new(fault, 1);
    (world.is_quiet, world.gives_up_one_in) = (true, usize::MAX);
    for (index, first, next) in [(0, 0, 1), (1, 1, 0)] {
        let steps = [Step::Take(first), Step::Ask(next)];
        world.processes[index].steps.extend(steps);
        (0..2).for_each(|_| world.take(index));
    }
    (0..2).for_each(|index| world.look(index));
    world.now += SETTLED;
    for index in [0, 1, 0] {
        world.look(index);
    }
    world.gives_up_one_in = 1;
    world.take(1);
    world.gives_up_one_in = usize::MAX;
    let again = [Step::Take(1), Step::Ask(0)];
    world.processes[1].steps.extend(again);
    for _ in 0..20 {
        world.now += 1;
        world.take(1);
    }
    world.look(1);
    world.now += SETTLED;
    for index in [1, 0] {
        world.look(index);
    }
    world
}

#[test]
fn cycle_of_other_waits_is_another_one() {
    let mut world = waits_again(Fault::Nothing);
    assert_eq!(world.reports, 0);
    world.look(0);
    assert_eq!((world.reports, world.wrong), (1, None));
    assert!(waits_again(Fault::ForgetsNumbers).wrong.is_some());
}
