//! A profile for a terminal.

use super::rows::{self, Row, Rows};
use crate::costs::Cost;
use crate::name::PlainName;
use crate::ordered::{SortedVec, sort};
use std::fmt;
use std::time::Duration;

/// How many lines there are.
const LINES: usize = 20;

/// How many places are named where others waited.
const NAMED: usize = 3;

const HEADS: [&str; 6] = [
    "HELD BY",
    "LOAD",
    "SHARE",
    "WAITS",
    "WORST KEY",
    "WAITED THERE",
];

/// Which columns are numbers, and so at the right.
const NUMBERS: [bool; 6] = [false, true, true, true, false, false];

/// All that was waited for what was held at one place.
#[derive(Default)]
struct Culprit<'a> {
    cost: Cost,
    rows: Vec<&'a Row>,
}

/// A profile, by its table.
pub(super) struct Table<'a>(pub(super) &'a Rows);

impl fmt::Display for Table<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self.0, f)
    }
}

#[inline]
fn write(rows: &Rows, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let seconds = rows.lasted.as_secs_f64();
    let mut culprits: SortedVec<(&str, &str), Culprit<'_>> = SortedVec::new();
    let mut all = Cost::default();
    for row in &rows.rows {
        let culprit = culprits.get_or_default((row.space, &row.holder.text));
        culprit.cost.add(row.cost);
        culprit.rows.push(row);
        all.add(row.cost);
    }
    let (waits, waited) = (all.waits, in_seconds(all));
    let load = waited / seconds.max(f64::MIN_POSITIVE);
    writeln!(
        f,
        "{seconds:.1} s: {waits} waits, {waited:.1} waiter-seconds, load {load:.1}"
    )?;
    let mut sorted = culprits.into_vec();
    sort(&mut sorted, |(_, one), (_, other)| {
        other.cost.nanoseconds.cmp(&one.cost.nanoseconds)
    });
    let mut lines = vec![HEADS.map(str::to_owned)];
    lines.extend(sorted.iter().take(LINES).map(|((_, site), culprit)| {
        [
            (*site).to_owned(),
            format!(
                "{:.1}",
                in_seconds(culprit.cost) / seconds.max(f64::MIN_POSITIVE)
            ),
            share(culprit.cost, all),
            culprit.cost.waits.to_string(),
            culprit.worst_key(),
            culprit.waited_there(),
        ]
    }));
    if lines.len() > 1 {
        write_lines(&lines, f)?;
    }
    match sorted.len().saturating_sub(LINES) {
        0 => Ok(()),
        more => writeln!(f, "and {more} more"),
    }
}

#[inline]
fn write_lines(lines: &[[String; 6]], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: [usize; 6] = std::array::from_fn(width);
    for line in lines {
        let cells = line.iter().zip(widths).zip(NUMBERS);
        let cells = cells.map(|((cell, width), is_number)| {
            if is_number {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        let text = cells.collect::<Vec<_>>().join("  ");
        writeln!(f, "{}", text.trim_end())?;
    }
    Ok(())
}

impl Culprit<'_> {
    #[inline]
    fn worst_key(&self) -> String {
        let mut keys = SortedVec::new();
        for (key, cost) in self.rows.iter().flat_map(|row| &row.keys) {
            let sum: &mut Cost = keys.get_or_default(key);
            sum.add(*cost);
        }
        let worst = keys
            .into_vec()
            .into_iter()
            .max_by_key(|(_, cost)| cost.nanoseconds);
        let (Some((key, cost)), Some(row)) = (worst, self.rows.first()) else {
            return "-".to_owned();
        };
        let space = &rows::frame(row.space);
        format!("{} ({})", PlainName { space, key }, share(cost, self.cost))
    }

    #[inline]
    fn waited_there(&self) -> String {
        let named = self.rows.iter().take(NAMED);
        let named = named.map(|row| format!("{} {}", row.waiter.text, share(row.cost, self.cost)));
        let mut text = named.collect::<Vec<_>>().join(", ");
        if self.rows.len() > NAMED {
            text += ", ..";
        }
        text
    }
}

#[inline]
fn in_seconds(cost: Cost) -> f64 {
    Duration::from_nanos(cost.nanoseconds).as_secs_f64()
}

#[inline]
fn share(part: Cost, all: Cost) -> String {
    let share = 100.0 * in_seconds(part) / in_seconds(all).max(f64::MIN_POSITIVE);
    format!("{share:.0} %")
}
