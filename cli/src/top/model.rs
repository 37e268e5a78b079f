//! What is known of a service, and what the person who looks has chosen.

use crate::answer::{Counted, Lock, Locks, Party};
use crate::service::Hello;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

/// How many looks back the load is an average of, and the picture of it goes.
const HISTORY: usize = 10;

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Load,
    Oldest,
    Waiters,
}

/// What is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Locks,
    /// The text of `lockutils why`, or of the profile, from that line of the terminal on.
    Text(String, usize),
}

/// What is to be done about a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    None,
    Quit,
    AskWhy,
    AskProfile,
}

pub(super) struct Model {
    pub(super) hello: Hello,
    pub(super) locks: Locks,
    /// How many have waited for each lock that is awaited, on the average.
    load: BTreeMap<String, f64>,
    /// How many have waited, the last time last.
    pub(super) history: VecDeque<u32>,
    /// What has been counted, and when that was.
    counted: Option<(Instant, Counted)>,
    /// How many waits, timeouts and refusals there are a second.
    pub(super) rates: Option<[f64; 3]>,
    /// The lock that keys are about.
    pub(super) selected: Option<String>,
    /// Those whose queue is shown.
    open: BTreeSet<String>,
    pub(super) sort: Sort,
    pub(super) filter: String,
    /// Whether keys are letters of the filter.
    pub(super) is_typing: bool,
    pub(super) is_frozen: bool,
    /// Whether the service has said something yet.
    pub(super) is_known: bool,
    pub(super) shown: Shown,
    /// How far a key for pages goes, in lines.
    pub(super) page: usize,
}

impl Model {
    pub(super) fn new(hello: Hello) -> Self {
        Self {
            hello,
            locks: Locks::default(),
            load: BTreeMap::new(),
            history: VecDeque::new(),
            counted: None,
            rates: None,
            selected: None,
            open: BTreeSet::new(),
            sort: Sort::Load,
            filter: String::new(),
            is_typing: false,
            is_frozen: false,
            is_known: false,
            shown: Shown::Locks,
            page: 1,
        }
    }

    /// Takes in a look.
    pub(super) fn update(&mut self, locks: Locks) {
        if self.is_frozen {
            return;
        }
        self.history.push_back(locks.waiters);
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
        // An average in which a look counts less the longer ago it is.
        let count = self.history.iter().fold(0.0, |count, _| count + 1.0);
        let mut load = BTreeMap::new();
        for lock in &locks.locks {
            let name = lock.name();
            let before = self.load.get(&name).copied().unwrap_or_default();
            let now = before + (f64::from(lock.waiters) - before) / count;
            load.insert(name, now);
        }
        (self.load, self.locks, self.is_known) = (load, locks, true);
    }

    pub(super) fn explain(&mut self, text: String) {
        self.shown = Shown::Text(text, 0);
    }

    /// Takes in what has been counted, of which two looks make a rate.
    pub(super) fn count(&mut self, counted: Counted) {
        if self.is_frozen {
            return;
        }
        if let Some((at, before)) = self.counted.replace((Instant::now(), counted)) {
            let seconds = at.elapsed().as_secs_f64().max(0.001);
            self.rates = Some(counted.since(&before).map(|count| count / seconds));
        }
    }

    /// How many wait, on the average.
    pub(super) fn all_load(&self) -> f64 {
        let waiters = self.history.iter().map(|count| f64::from(*count));
        let (sum, looks) =
            waiters.fold((0.0, 0.0), |(sum, looks), count| (sum + count, looks + 1.0));
        sum / f64::max(looks, 1.0)
    }

    pub(super) fn load(&self, lock: &str) -> f64 {
        self.load.get(lock).copied().unwrap_or_default()
    }

    pub(super) fn is_open(&self, lock: &str) -> bool {
        self.open.contains(lock)
    }

    /// How long somebody has waited, in seconds.
    pub(super) fn oldest(&self) -> Option<f64> {
        let waits = self.locks.locks.iter().filter_map(Lock::oldest);
        waits.max_by(f64::total_cmp)
    }

    /// The locks that are shown, in their order, by their names.
    pub(super) fn rows(&self) -> Vec<(String, &Lock)> {
        let named = self.locks.locks.iter().map(|lock| (lock.name(), lock));
        let mut rows: Vec<_> = named
            .filter(|(name, lock)| self.matches(name, lock))
            .collect();
        let value = |(name, lock): &(String, &Lock)| match self.sort {
            Sort::Load => self.load(name),
            Sort::Oldest => lock.oldest().unwrap_or_default(),
            Sort::Waiters => f64::from(lock.waiters),
        };
        rows.sort_by(|a, b| {
            let by_value = value(b).total_cmp(&value(a));
            by_value.then_with(|| a.0.cmp(&b.0))
        });
        rows
    }

    /// Whether the filter is in the name, or in a holder's or a waiter's.
    fn matches(&self, name: &str, lock: &Lock) -> bool {
        let filter = self.filter.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&filter);
        let parties = || lock.holders.iter().chain(&lock.queue);
        has(name) || parties().any(|party| has(&party.name()))
    }

    /// The locks that each holds whom others wait for, and those that each waits for.
    pub(super) fn relations(&self) -> Relations {
        let mut relations = Relations::default();
        for lock in self.locks.locks.iter().filter(|lock| lock.waiters > 0) {
            let of = |parties: &[Party], map: &mut BTreeMap<String, String>| {
                for identity in parties.iter().filter_map(Party::identity) {
                    map.entry(identity).or_insert_with(|| lock.name());
                }
            };
            of(&lock.holders, &mut relations.holds);
            of(&lock.queue, &mut relations.waits);
        }
        relations
    }

    /// A key was pressed.
    pub(super) fn press(&mut self, key: KeyEvent) -> Action {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            let quits = matches!(key.code, KeyCode::Char('c' | 'C'));
            return if quits { Action::Quit } else { Action::None };
        }
        if self.is_typing {
            self.edit(key.code);
            return Action::None;
        }
        if let Shown::Text(_, line) = &mut self.shown {
            // Those who draw it know where it ends.
            match key.code {
                KeyCode::Down | KeyCode::Char('j') => *line = line.saturating_add(1),
                KeyCode::Up | KeyCode::Char('k') => *line = line.saturating_sub(1),
                KeyCode::PageDown | KeyCode::Char(' ') => *line = line.saturating_add(self.page),
                KeyCode::PageUp => *line = line.saturating_sub(self.page),
                KeyCode::Home => *line = 0,
                KeyCode::End => *line = usize::MAX,
                KeyCode::Char('q' | 'Q') => return Action::Quit,
                KeyCode::Char('w' | 'p') | KeyCode::Esc | KeyCode::Enter => {
                    self.shown = Shown::Locks;
                }
                _ => {}
            }
            return Action::None;
        }
        match key.code {
            KeyCode::Char('q' | 'Q') => return Action::Quit,
            KeyCode::Char('w') => return Action::AskWhy,
            KeyCode::Char('p') => return Action::AskProfile,
            KeyCode::Char('s') => {
                self.sort = match self.sort {
                    Sort::Load => Sort::Oldest,
                    Sort::Oldest => Sort::Waiters,
                    Sort::Waiters => Sort::Load,
                };
            }
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Char(' ') => self.is_frozen = !self.is_frozen,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Enter => self.open_or_close(),
            KeyCode::Down | KeyCode::Char('j') => self.select(1),
            KeyCode::Up | KeyCode::Char('k') => self.select(-1),
            KeyCode::PageDown => self.select(self.page.cast_signed()),
            KeyCode::PageUp => self.select(-self.page.cast_signed()),
            KeyCode::Home => self.select(isize::MIN),
            KeyCode::End => self.select(isize::MAX),
            _ => {}
        }
        Action::None
    }

    fn edit(&mut self, key: KeyCode) {
        match key {
            KeyCode::Char(char) => self.filter.push(char),
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.filter.clear();
                self.is_typing = false;
            }
            _ => {}
        }
    }

    fn open_or_close(&mut self) {
        let Some(selected) = self.selected.clone().or_else(|| self.first()) else {
            return;
        };
        if !self.open.remove(&selected) {
            self.open.insert(selected.clone());
        }
        self.selected = Some(selected);
    }

    fn first(&self) -> Option<String> {
        let rows = self.rows();
        rows.first().map(|(name, _)| name.clone())
    }

    /// Selects the lock so many lines further down.
    fn select(&mut self, by: isize) {
        let rows = self.rows();
        let is_selected = |(name, _): &(String, &Lock)| Some(name) == self.selected.as_ref();
        let to = match rows.iter().position(is_selected) {
            Some(at) => at.saturating_add_signed(by),
            None if by > 1 => by.unsigned_abs(),
            None => 0,
        };
        let last = rows.len().saturating_sub(1);
        let selected = rows.get(to.min(last)).map(|(name, _)| name.clone());
        self.selected = selected;
    }
}

/// Which locks hang together.
#[derive(Default)]
pub(super) struct Relations {
    holds: BTreeMap<String, String>,
    waits: BTreeMap<String, String>,
}

impl Relations {
    /// What lock a holder waits for.
    pub(super) fn awaited_by(&self, party: &Party) -> Option<&String> {
        self.waits.get(&party.identity()?)
    }

    /// What lock a waiter holds that others wait for.
    pub(super) fn held_by(&self, party: &Party) -> Option<&String> {
        self.holds.get(&party.identity()?)
    }
}
