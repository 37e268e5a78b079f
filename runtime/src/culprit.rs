//! Whom waiting is blamed on: a place in the code, or another process.
//!
//! A metric has a series for each, so there may not be many. Those of this process are bounded by its
//! text. Another process is called by what is the same for all that run the same program: by the place
//! in its code and the program's name, and neither by its id nor by its host or its arguments. Of such
//! texts [`MOST`] are kept; who comes later is just another process.

use crate::holder::Holder;
use crate::site::Site;
use crate::sync::ambient::Mutex;
use std::fmt;

/// How many other programs, and places in them, are told apart.
const MOST: usize = 128;

/// How long the name of a program is at most, in characters.
const LENGTH: usize = 40;

/// Who keeps others waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Culprit {
    Here(Site),
    Elsewhere(Program),
}

/// Another process, by its number in [`PROGRAMS`], and of all that aren't there [`MOST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Program(usize);

static PROGRAMS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

impl Culprit {
    /// Another process, of which nothing is known.
    pub(crate) const UNKNOWN: Self = Self::Elsewhere(Program(MOST));

    /// As it tells two of them apart.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Here(site) => site.address() as u64,
            // No address of a program has the highest bit.
            Self::Elsewhere(Program(number)) => 1 << 63 | number as u64,
        }
    }
}

impl Program {
    fn named(text: String) -> Self {
        let mut programs = PROGRAMS.lock();
        let known = programs.iter().position(|known| *known == text);
        Self(known.unwrap_or_else(|| {
            if programs.len() < MOST {
                programs.push(text.leak());
                programs.len() - 1
            } else {
                MOST
            }
        }))
    }
}

impl From<Site> for Culprit {
    fn from(site: Site) -> Self {
        Self::Here(site)
    }
}

impl From<&Holder> for Culprit {
    fn from(holder: &Holder) -> Self {
        if let Some(site) = holder.site() {
            return Self::Here(site);
        }
        let program = holder.command().and_then(program);
        let program = program.map(|name| format!("another process ({name})"));
        match (holder.place(), program) {
            (Some(place), Some(program)) => {
                Self::Elsewhere(Program::named(format!("{place} in {program}")))
            }
            (Some(place), None) => {
                Self::Elsewhere(Program::named(format!("{place} in another process")))
            }
            (None, Some(program)) => Self::Elsewhere(Program::named(program)),
            (None, None) => Self::UNKNOWN,
        }
    }
}

/// The program of a command, without its folder and its arguments.
fn program(command: &str) -> Option<String> {
    let path = command.split_whitespace().next()?;
    let name = path.rsplit('/').find(|part| !part.is_empty())?;
    let name: String = name.chars().take(LENGTH).collect();
    Some(name.escape_debug().to_string())
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(site) => fmt::Display::fmt(site, f),
            Self::Elsewhere(Program(number)) => {
                let known = PROGRAMS.lock().get(*number).copied();
                f.write_str(known.unwrap_or("another process"))
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn text(holder: &Holder) -> String {
        Culprit::from(holder).to_string()
    }

    #[test]
    fn other_process_is_called_by_what_all_of_its_kind_have_in_common_and_there_are_not_many() {
        let holder = |pid| {
            Holder::of_process(pid)
                .with_host(format!("node-{pid}"))
                .with_command(format!("/usr/bin/nova-compute --run {pid}"))
        };
        assert_eq!(text(&holder(1)), "another process (nova-compute)");
        assert_eq!(Culprit::from(&holder(1)), Culprit::from(&holder(2)));
        let placed = holder(1).with_place("connect (src/cells.rs:41)");
        assert_eq!(
            text(&placed),
            "connect (src/cells.rs:41) in another process (nova-compute)"
        );
        for unknown in ["", " ", "/", "///  x"] {
            let holder = Holder::of_process(7).with_command(unknown);
            assert_eq!(text(&holder), "another process", "{unknown:?}");
        }
        let long = Holder::unknown().with_command("x".repeat(1000) + "\n");
        assert_eq!(text(&long).len(), "another process ()".len() + LENGTH);
        assert_no_number_of_programs_makes_more_texts();
    }

    /// Not beside the other, who needs some texts.
    fn assert_no_number_of_programs_makes_more_texts() {
        let numbers = (0..10_000).map(|number| {
            let holder = Holder::unknown().with_command(format!("program-{number}"));
            Culprit::from(&holder).number()
        });
        let mut numbers: Vec<_> = numbers.collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert!(numbers.len() <= MOST + 1, "{}", numbers.len());
        assert_eq!(Culprit::UNKNOWN.to_string(), "another process");
    }
}
