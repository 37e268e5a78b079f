//! The report: lines of a Markdown table.

use crate::contender::Column;
use crate::measure::{self, Plan};
use crate::rows::Row;
use std::fmt::Write as _;

/// A line of the table, ready to print.
#[derive(Debug)]
pub(crate) struct Line {
    name: String,
    cells: Vec<(Column, String)>,
    noise: String,
}

impl Line {
    /// A row's lines: the times, and what they are to the row's other reference.
    pub(crate) fn of_row(row: &Row, times: &[Vec<f64>]) -> Vec<Self> {
        let columns = || row.cells.iter().map(|cell| cell.column);
        let of = |column| {
            let index = columns().position(|other| other == column);
            &times[index.expect("a row has its references")]
        };
        let noise = times.iter().map(|times| measure::noise(times));
        let noise = noise.fold(0.0, f64::max);
        let with_times = columns().zip(times).map(|(column, times)| {
            let ratio = measure::ratio(times, of(Column::ParkingLot));
            let time = measure::median(times);
            (
                column,
                format!("{} ({})", nanoseconds(time), times_of(ratio)),
            )
        });
        let mut lines = vec![Self {
            name: row.name.to_owned(),
            cells: with_times.collect(),
            noise: format!("± {:.0} %", noise * 100.0),
        }];
        if let Some(reference) = row.reference {
            let ratios = columns().zip(times).map(|(column, times)| {
                let ratio = measure::ratio(times, of(reference));
                (column, format!("({})", times_of(ratio)))
            });
            lines.push(Self {
                name: format!("— to {}", reference.title()),
                cells: ratios.collect(),
                noise: String::new(),
            });
        }
        lines
    }
}

/// The table, with what its figures mean above it.
pub(crate) fn render(lines: &[Line], plan: Plan) -> String {
    let mut out = format!(
        "Time to acquire and release a lock with nothing in between, the median of {} rounds of \
         {} ms; with threads, wall time divided by the acquisitions of all of them. In brackets \
         the ratio to a bare `parking_lot::Mutex` in the same row, as the median of the rounds' \
         own ratios. Keys are 36-byte strings, but for the literal. The last column is the \
         row's noisiest cell: half of its rounds lie so close to the median.\n\n",
        plan.rounds,
        plan.stretch.as_millis(),
    );
    let mut line = |first: &str, cells: &mut dyn Iterator<Item = &str>, last: &str| {
        let cells: Vec<_> = cells.collect();
        writeln!(out, "| {first} | {} | {last} |", cells.join(" | ")).expect("a string takes all");
    };
    line(
        "",
        &mut Column::ALL.iter().map(|column| column.title()),
        "noise",
    );
    line("---", &mut Column::ALL.iter().map(|_| "---:"), "---:");
    for Line { name, cells, noise } in lines {
        let cell = |column| {
            let cell = cells.iter().find(|(other, _)| other == column);
            cell.map_or("–", |(_, text)| text)
        };
        line(name, &mut Column::ALL.iter().map(cell), noise);
    }
    out
}

fn nanoseconds(time: f64) -> String {
    let digits = usize::from(time < 100.0);
    format!("{time:.digits$} ns")
}

fn times_of(ratio: f64) -> String {
    let digits = if ratio < 10.0 { 2 } else { 1 };
    format!("{ratio:.digits$}×")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Cell;

    #[test]
    fn absent_contenders_are_a_dash() {
        let cell = |column| Cell {
            column,
            run: Box::new(|_| unreachable!("only printed")),
        };
        let row = Row {
            name: "async",
            cells: vec![
                cell(Column::Guard),
                cell(Column::ParkingLot),
                cell(Column::Tokio),
            ],
            reference: Some(Column::Tokio),
        };
        let times = [vec![150.0; 2], vec![10.0; 2], vec![50.0; 2]];
        let table = render(&Line::of_row(&row, &times), Plan::QUICK);
        let lines: Vec<_> = table.lines().skip(4).collect();
        assert_eq!(
            lines,
            [
                "| async | 10.0 ns (1.00×) | 50.0 ns (5.00×) | 150 ns (15.0×) \
                 | – | – | – | – | – | – | ± 0 % |",
                "| — to bare Tokio | (0.20×) | (1.00×) | (3.00×) | – | – | – | – | – | – |  |",
            ]
        );
    }
}
