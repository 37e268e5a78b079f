//! The command line.

use crate::measure::Plan;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Measures what a keyed lock costs, ours and its peers', and prints Markdown tables.

Usage: cargo run --release -p lockutils-benches -- [OPTIONS]
       cargo run --release -p lockutils-benches -- compile-time [--quick] [--rounds N] [--only TEXT]

The second measures how long it takes to build lockutils and its users, with Cargo and the
network, by default in 5 rounds: beside crates with `attributes`, `functions` with the attribute and
without, and the crates of `servers` beside their clients.

Options:
  --quick        a few short rounds: shows that all works, not how fast it is
  --rounds N     how many rounds each cell is measured (default: 21, quick: 3)
  --only TEXT    only the rows and trials with TEXT in their name
  --chart FILE   also draw a bar chart of the main rows, as an SVG
  --help         print this
";

/// What the user asked for.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) plan: Plan,
    /// Part of the name of the rows to measure; empty for all.
    pub(crate) only: String,
    pub(crate) chart: Option<PathBuf>,
    /// What to do as a child of this program; not for users.
    pub(crate) in_child: Option<Vec<String>>,
    pub(crate) help: bool,
    /// How many rounds to measure builds, in place of all else.
    pub(crate) compile_time: Option<usize>,
}

impl Args {
    pub(crate) fn from_env() -> Result<Self, lexopt::Error> {
        Self::parse(std::env::args_os().skip(1))
    }

    fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, lexopt::Error> {
        let mut parser = lexopt::Parser::from_args(args);
        let (mut quick, mut rounds) = (false, None);
        let (mut only, mut help) = (String::new(), false);
        let (mut chart, mut in_child) = (None, None);
        let mut compile_time = false;
        while let Some(arg) = parser.next()? {
            match arg {
                Long("quick") => quick = true,
                Long("rounds") => rounds = Some(parser.value()?.parse_with(at_least_one)?),
                Long("only") => only = parser.value()?.string()?,
                Long("chart") => chart = Some(parser.value()?.into()),
                Long("in-child") => {
                    let arguments = parser.values()?.map(ValueExt::string);
                    in_child = Some(arguments.collect::<Result<_, _>>()?);
                }
                Value(command) if command == "compile-time" => compile_time = true,
                Short('h') | Long("help") => help = true,
                _ => return Err(arg.unexpected()),
            }
        }
        let mut plan = if quick { Plan::QUICK } else { Plan::FULL };
        plan.rounds = rounds.unwrap_or(plan.rounds);
        Ok(Self {
            plan,
            only,
            chart,
            in_child,
            help,
            compile_time: compile_time.then(|| rounds.unwrap_or(if quick { 1 } else { 5 })),
        })
    }
}

fn at_least_one(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("expected a number from 1"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn rounds_stand_over_the_plan_in_any_order() {
        for line in ["--rounds 7 --quick", "--quick --rounds=7"] {
            let plan = parse(line).unwrap().plan;
            assert_eq!((plan.rounds, plan.stretch), (7, Plan::QUICK.stretch));
        }
        assert_eq!(parse("").unwrap().plan.rounds, Plan::FULL.rounds);
    }

    #[test]
    fn chart_is_drawn_where_it_is_asked_for() {
        let chart = |line| parse(line).unwrap().chart;
        assert_eq!(chart("--chart results.svg"), Some("results.svg".into()));
        assert_eq!(chart("--quick"), None);
    }

    #[test]
    fn builds_are_measured_where_it_is_asked_for() {
        let rounds = |line| parse(line).unwrap().compile_time;
        assert_eq!(rounds("compile-time"), Some(5));
        assert_eq!(rounds("compile-time --rounds 3"), Some(3));
        assert_eq!(rounds("--quick compile-time"), Some(1));
        assert_eq!(rounds("--rounds 3"), None);
    }

    #[test]
    fn wrong_options_are_errors() {
        for line in [
            "--fast",
            "--rounds",
            "--rounds 0",
            "--rounds x",
            "--quick=1",
            "--chart",
            "row",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
