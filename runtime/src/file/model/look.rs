//! The thread of a process that looks, in the [`model`](super).

use super::super::behind::Behind;
use super::super::follow::{Hop, Marks, News, Reached, Seen, marks, search};
use super::super::teller::Teller;
use super::{Fault, Known, SETTLED, Stuck, World};
use crate::holder::Elsewhere;
use std::mem;
use std::path::{Path, PathBuf};

impl World {
    /// A look, with others between its steps.
    pub(super) fn look(&mut self, index: usize) {
        let found = self.find(index);
        self.pause();
        self.lock_known(index);
        for (number, stuck) in self.say_all(index, found) {
            self.pause();
            self.follow(index, number, stuck);
        }
    }

    fn find(&self, index: usize) -> Option<Stuck> {
        let process = &self.processes[index];
        let (on, wait) = process.waits?;
        let (file, hold) = process.holds.first_key_value()?;
        let is_held_elsewhere = self.files[on].holder.is_some_and(|holder| holder != index);
        is_held_elsewhere.then_some(Stuck {
            file: *file,
            on,
            hold: *hold,
            wait,
        })
    }

    fn lock_known(&mut self, index: usize) {
        while self.processes[index].known_is_locked {
            self.step();
        }
        self.processes[index].known_is_locked = true;
    }

    /// Brings up to date what is known and said. Gives what is said.
    fn say_all(&mut self, index: usize, mut found: Option<Stuck>) -> Vec<(u64, Stuck)> {
        if let Some(stuck) = found {
            self.processes[index].marked[stuck.on] = true;
        }
        self.pause();
        found = found.filter(|stuck| self.find(index) == Some(*stuck));
        let known = mem::take(&mut self.processes[index].known).into_iter();
        let (known, over): (Vec<_>, Vec<_>) = known.partition(|known| Some(known.stuck) == found);
        self.processes[index].known = known;
        for known in over {
            self.take_back(index, known.stuck.file);
        }
        let (now, number) = (self.now, self.numbers.len() as u64);
        let process = &mut self.processes[index];
        if let Some(stuck) = found.filter(|_| process.known.is_empty()) {
            self.numbers.insert(number, (process.pid, stuck));
            process.known.push(Known {
                number,
                stuck,
                since: now,
                seen: Seen::default(),
                looked: 0,
            });
        }
        let known = &process.known;
        for (file, marked) in process.marked.iter_mut().enumerate() {
            *marked = known.iter().any(|known| known.stuck.on == file);
        }
        let settled = known.iter().filter(|known| known.since + SETTLED <= now);
        let settled: Vec<_> = settled.map(|known| (known.number, known.stuck)).collect();
        let said = settled.into_iter().filter(|one| self.say(index, *one));
        let said = said.collect();
        self.processes[index].known_is_locked = false;
        said
    }

    /// As the thread that looks does it itself.
    fn take_back(&mut self, index: usize, file: usize) {
        let process = &mut self.processes[index];
        if process.releases[file] || !mem::take(&mut process.says[file]) {
            return;
        }
        process.writes[file] = true;
        let (pid, namespace) = (process.pid, self.teller.namespace);
        let write = self.lines(file).retraction(pid, namespace);
        if let Some(write) = write {
            self.write(file, &write, false);
            self.pause();
            self.write(file, &write, true);
        }
        self.processes[index].writes[file] = false;
    }

    /// Says it in the file, if that is held; tells whether it is said.
    fn say(&mut self, index: usize, (number, stuck): (u64, Stuck)) -> bool {
        let Stuck { file, on, .. } = stuck;
        let process = &mut self.processes[index];
        if process.releases[file] || self.files[file].holder != Some(index) {
            return false;
        }
        let behind = Behind {
            by: Teller {
                pid: process.pid,
                ..self.teller
            },
            wait: number,
            site: "site".to_owned(),
            identity: identity(on),
            path: path(on),
        };
        process.says[file] = true;
        process.writes[file] = true;
        let lines = self.lines(file);
        let is_said = lines.all().any(|line| line == behind);
        let write = lines.saying(&behind).filter(|_| !is_said);
        if let Some(write) = write {
            self.write(file, &write, false);
            self.pause();
            self.write(file, &write, true);
        }
        self.processes[index].writes[file] = false;
        is_said || write.is_some()
    }

    /// What is in a file, as another process reads it.
    fn read(&self, file: usize) -> Reached {
        let lines = self.lines(file);
        let runs = |line: &Behind| {
            let mut processes = self.processes.iter();
            processes.any(|process| process.pid == line.by.pid)
        };
        let believed = lines
            .all()
            .filter(|line| self.fault == Fault::BelievesTheDead || runs(line));
        let hops = believed.map(|behind| Hop {
            holder: Elsewhere::process(Some(behind.by.pid)),
            behind,
        });
        Reached::new(identity(file), hops.collect())
    }

    /// Follows what others say, and notes what it has come to.
    fn follow(&mut self, index: usize, number: u64, stuck: Stuck) {
        let begin = self.now;
        let first = self.read(stuck.file);
        let cycle = search(first, &|line| line.wait == number, &mut |path| {
            self.pause();
            let name = path.file_name()?.to_str()?;
            let file: usize = name.parse().ok()?;
            (file < self.files.len()).then(|| self.read(file))
        });
        let end = self.now;
        let mut found: Option<Marks> = cycle.as_deref().map(marks);
        if self.fault == Fault::ForgetsNumbers {
            let all = found.iter_mut().flatten();
            all.for_each(|(_, number)| *number = 0);
        }
        self.pause();
        self.lock_known(index);
        let at_once = self.fault == Fault::ReportsAtOnce;
        let mut known = self.processes[index].known.iter_mut();
        let known = known.find(|known| known.number == number);
        let reported = known.and_then(|known| {
            let before = mem::replace(&mut known.looked, end);
            let news = known.seen.note(found);
            match news {
                News::Lasts if !at_once => Some((before, begin)),
                News::Other if at_once => Some((end, end)),
                News::Lasts | News::Other | News::Same => None,
            }
        });
        self.processes[index].known_is_locked = false;
        if let (Some(between), Some(cycle)) = (reported, cycle) {
            self.reports += 1;
            self.check(&cycle, between);
        }
    }

    /// All of a cycle must have been there between two moments.
    fn check(&mut self, cycle: &[Hop], (from, to): (u64, u64)) {
        for Hop { behind, .. } in cycle {
            let known = self.numbers.get(&behind.wait);
            let is_true = known.is_some_and(|(pid, stuck)| {
                let lasts = |episode: usize| {
                    let episode = self.episodes[episode];
                    episode.begin <= from && episode.end.is_none_or(|end| end >= to)
                };
                *pid == behind.by.pid
                    && identity(stuck.on) == behind.identity
                    && lasts(stuck.hold)
                    && lasts(stuck.wait)
            });
            if !is_true {
                self.wrong = Some(format!("{behind:?} from {from} to {to}"));
            }
        }
    }
}

const fn identity(file: usize) -> [u64; 2] {
    [2049, 131 + 1000 * file as u64]
}

fn path(file: usize) -> PathBuf {
    Path::new("/run/lock").join(file.to_string())
}
