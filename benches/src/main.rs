//! What a keyed lock costs: ours by guard and by attribute, and the peers.
//!
//! Prints one Markdown table. A row is a workload, a column a contender:
//!
//! - [`contender`]: what a contender is, its column, and the keys it is given;
//! - [`subject`] and [`peers`]: how each of them takes a lock;
//! - [`rows`]: the workloads, each written once, and who takes part in which;
//! - [`measure`]: interleaved rounds, medians and ratios;
//! - [`table`] and [`machine`]: the report.

mod args;
mod contender;
mod machine;
mod measure;
mod peers;
mod rows;
mod subject;
mod table;

use args::Args;
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
    let mut rows = rows::all();
    let names: Vec<_> = rows.iter().map(|row| row.name).collect();
    rows.retain(|row| row.name.contains(&args.only));
    if rows.is_empty() {
        let (only, names) = (args.only, names.join("`, `"));
        eprintln!("error: no row has `{only}` in its name; the rows are `{names}`");
        return ExitCode::from(2);
    }
    if cfg!(debug_assertions) {
        eprintln!("warning: built without optimisation; add `--release` for figures that count");
    }

    let progress = io::stderr().is_terminal();
    let mut lines = Vec::new();
    for row in &mut rows {
        if progress {
            eprintln!("measuring: {}", row.name);
        }
        let times = row.measure(args.plan);
        lines.extend(Line::of_row(row, &times));
    }
    print!("{}\n{}", machine::facts(), table::render(&lines, args.plan));
    ExitCode::SUCCESS
}
