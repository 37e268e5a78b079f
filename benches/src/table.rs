//! The report: lines of a Markdown table.

use crate::contender::Column;
use crate::figure;
use crate::measure::{self, Plan};
use crate::rows::Measured;
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
    pub(crate) fn of_row(row: &Measured) -> Vec<Self> {
        let ratio = |times: &[f64], reference| {
            let ratio = measure::ratio(times, row.times_of(reference));
            format!("({})", figure::times(ratio))
        };
        let noise = row.times.iter().map(|(_, times)| measure::noise(times));
        let noise = noise.fold(0.0, f64::max);
        let with_times = row.times.iter().map(|(column, times)| {
            let time = figure::time(measure::median(times));
            let ratio = ratio(times, Column::ParkingLot);
            (*column, format!("{time} {ratio}"))
        });
        let mut lines = vec![Self {
            name: row.name.to_owned(),
            cells: with_times.collect(),
            noise: figure::spread(noise),
        }];
        if let Some(reference) = row.reference {
            let ratios = row.times.iter();
            let ratios = ratios.map(|(column, times)| (*column, ratio(times, reference)));
            lines.push(Self {
                name: format!("— to {}", reference.name()),
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
    let titles = Column::ALL.map(title);
    line("", &mut titles.iter().map(String::as_str), "noise");
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

fn title(column: Column) -> String {
    let name = column.name();
    if column.is_ours() {
        format!("**{name}**")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_contenders_are_a_dash() {
        let row = Measured {
            name: "async",
            times: vec![
                (Column::Guard, vec![150.0; 2]),
                (Column::ParkingLot, vec![10.0; 2]),
                (Column::Tokio, vec![50.0; 2]),
            ],
            reference: Some(Column::Tokio),
            goals: Vec::new(),
        };
        let table = render(&Line::of_row(&row), Plan::QUICK);
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
