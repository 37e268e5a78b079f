//! What a keyed lock costs: ours by guard and by attribute, and the peers.
//!
//! Prints two Markdown tables. In the first a row is a workload, a column a contender; the
//! second says what lockutils is to reach, and whether it does:
//!
//! - [`contender`]: what a contender is, its column, and the keys it is given;
//! - [`subject`], [`kinds`] and [`peers`]: how each of them takes a lock;
//! - [`rows`]: the workloads, each written once, and who takes part in which;
//! - [`trial`]: what is measured in another way: fairness, memory, long queues, lock files;
//! - [`compile_time`]: a report of its own, of what it costs to build;
//! - [`measure`]: interleaved rounds, medians and ratios;
//! - [`counting`]: the allocator, which can count;
//! - [`table`], [`target`], [`chart`] and [`machine`]: the report, whose [`figure`]s are
//!   for people.

mod args;
mod chart;
mod compile_time;
mod contender;
mod counting;
mod figure;
mod kinds;
mod machine;
mod measure;
mod peers;
mod rows;
mod subject;
mod table;
mod target;
mod trial;

use args::Args;
use std::fs;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use table::Line;

fn main() -> ExitCode {
    let args = match Args::from_env() {
        Ok(args) => args,
        Err(error) => {
            eprintln!("error: {error}; see `--help`");
            return ExitCode::from(2);
        }
    };
    if args.help {
        print!("{}", args::HELP);
        return ExitCode::SUCCESS;
    }
    let done = match (&args.in_child, args.compile_time) {
        (Some(arguments), _) => trial::in_child(arguments),
        (None, Some(rounds)) => compile_time::run(rounds, &args.only),
        (None, None) => run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Measures, and prints the report.
fn run(args: &Args) -> Result<(), String> {
    let (mut rows, mut trials) = (rows::all(), Vec::from(trial::ALL));
    let names = rows.iter().map(|row| row.name);
    let names: Vec<_> = names.chain(trials.iter().map(|trial| trial.name)).collect();
    rows.retain(|row| row.name.contains(&args.only));
    trials.retain(|trial| trial.name.contains(&args.only));
    if rows.is_empty() && trials.is_empty() {
        let (only, names) = (&args.only, names.join("`, `"));
        return Err(format!(
            "nothing has `{only}` in its name; there are `{names}`"
        ));
    }
    if cfg!(debug_assertions) {
        eprintln!("warning: built without optimisation; add `--release` for figures that count");
    }

    let progress = |name| {
        if io::stderr().is_terminal() {
            eprintln!("measuring: {name}");
        }
    };
    let load_at_start = machine::load();
    let (mut measured, mut targets) = (Vec::new(), Vec::new());
    for row in rows {
        progress(row.name);
        let row = row.measure(args.plan);
        targets.extend(row.targets());
        measured.push(row);
    }
    for trial in trials {
        progress(trial.name);
        targets.extend((trial.run)(args.plan));
    }
    let lines: Vec<_> = measured.iter().flat_map(Line::of_row).collect();
    print!("{}", machine::facts(&load_at_start));
    if !lines.is_empty() {
        print!("\n{}", table::render(&lines, args.plan));
    }
    if !targets.is_empty() {
        print!("\n{}", target::render(&targets));
    }
    if let Some(file) = &args.chart {
        fs::write(file, chart::draw(&measured)).map_err(|error| {
            let file = file.display();
            format!("cannot write the chart to `{file}`: {error}")
        })?;
    }
    Ok(())
}
