//! The main rows as bars, in an SVG that is readable in light and dark.
//!
//! A row is a panel, and each panel has its own scale. A bar that would make the rest too
//! short to tell apart is cut, and fades; the figure beside it is whole.

use crate::contender::Column;
use crate::figure;
use crate::measure;
use crate::rows::Measured;
use std::fmt::Write as _;

/// The rows that are drawn.
const ROWS: [&str; 8] = [
    "integer",
    "user-{id}",
    "one key",
    "4096 keys in turn",
    "async, one key",
    "2 threads, one key",
    "8 threads, one key",
    "8 threads, own keys",
];

/// A bar of more than so many times the panel's median is cut.
const CUT: f64 = 10.0;

const MARGIN: u32 = 20;
const PANEL_WIDTH: u32 = 440;
const NAME_WIDTH: u32 = 165;
const BAR_WIDTH: f64 = 150.0;
const LINE: u32 = 20;
/// The title of a panel above its bars, and the gap below them.
const PANEL_EXTRA: u32 = 52;
/// The title of the chart.
const TOP: u32 = 62;

const STYLE: &str = "
  text { font: 12px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; \
fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .panel { font-size: 13px; font-weight: 600 }
  .name { text-anchor: end }
  .ours { font-weight: 600 }
  .note { fill: #59636e }
  .page { fill: #ffffff; stroke: #d1d9e0 }
  .bar { fill: #afb8c1 }
  .bar.bare { fill: #6e7781 }
  .bar.ours { fill: #0969da }
  .cut { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .note { fill: #9198a1 }
    .page { fill: #0d1117; stroke: #3d444d }
    .bar { fill: #57606a }
    .bar.bare { fill: #9198a1 }
    .bar.ours { fill: #4493f8 }
    .cut { fill: #0d1117 }
  }
";

/// Draws those of the rows that belong in the chart.
pub(crate) fn draw(rows: &[Measured]) -> String {
    let rows: Vec<_> = rows.iter().filter(|row| ROWS.contains(&row.name)).collect();
    let mut panels = String::new();
    let mut y = TOP;
    for pair in rows.chunks(2) {
        for (index, row) in (0..).zip(pair) {
            panel(&mut panels, row, MARGIN + index * PANEL_WIDTH, y);
        }
        let bars = pair.iter().map(|row| row.times.len()).max();
        let bars = u32::try_from(bars.unwrap_or(0)).expect("there are few contenders");
        y += bars * LINE + PANEL_EXTRA;
    }
    let width = 2 * (MARGIN + PANEL_WIDTH);
    let (inner_width, inner_height) = (width - 1, y - 1);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{y}\" \
         viewBox=\"0 0 {width} {y}\" role=\"img\" aria-labelledby=\"title\">\n\
         <title id=\"title\">Time to acquire and release a lock, by workload and library</title>\n\
         <style>{STYLE}</style>\n\
         <rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"{inner_width}\" \
         height=\"{inner_height}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"28\">Time to acquire and release a lock; \
         shorter is better</text>\n\
         <text class=\"note\" x=\"{MARGIN}\" y=\"46\">In brackets the ratio to one bare mutex. \
         Each panel has its own scale; a fading bar is cut.</text>\n\
         {panels}</svg>\n"
    )
}

/// One row, with its top left corner at a point.
fn panel(out: &mut String, row: &Measured, x: u32, y: u32) {
    let medians: Vec<_> = row
        .times
        .iter()
        .map(|(column, times)| (*column, measure::median(times)))
        .collect();
    let times: Vec<_> = medians.iter().map(|(_, time)| *time).collect();
    let cut = measure::median(&times) * CUT;
    let longest = times.into_iter().filter(|time| *time <= cut);
    let longest = longest.fold(0.0, f64::max);
    let bare = row.times_of(Column::ParkingLot);

    let mut line = |text: String| writeln!(out, "{text}").expect("a string takes all");
    let (name, baseline) = (row.name, y + 18);
    line(format!(
        "<text class=\"panel\" x=\"{x}\" y=\"{baseline}\">{name}</text>"
    ));
    let left = x + NAME_WIDTH;
    for (index, ((column, time), (_, times))) in (0..).zip(medians.into_iter().zip(&row.times)) {
        let top = y + 28 + index * LINE;
        let (baseline, end) = (top + 12, left - 8);
        let class = class(column);
        let width = (time / longest).min(1.0) * BAR_WIDTH;
        let name = column.name();
        line(format!(
            "<text class=\"name{class}\" x=\"{end}\" y=\"{baseline}\">{name}</text>"
        ));
        line(format!(
            "<rect class=\"bar{class}\" x=\"{left}\" y=\"{top}\" width=\"{width:.1}\" \
             height=\"15\" rx=\"2\"/>"
        ));
        if time > longest {
            // Three gaps, each wider than the one before it.
            for (from_end, gap) in [(30, 2), (20, 4), (10, 6)] {
                let gap_left = f64::from(left) + BAR_WIDTH - f64::from(from_end);
                line(format!(
                    "<rect class=\"cut\" x=\"{gap_left}\" y=\"{top}\" width=\"{gap}\" \
                     height=\"15\"/>"
                ));
            }
        }
        let after = f64::from(left) + width + 6.0;
        let (time, ratio) = (figure::time(time), measure::ratio(times, bare));
        let ratio = figure::times(ratio);
        line(format!(
            "<text x=\"{after:.1}\" y=\"{baseline}\">{time} <tspan class=\"note\">({ratio})\
             </tspan></text>"
        ));
    }
}

const fn class(column: Column) -> &'static str {
    match column {
        _ if column.is_ours() => " ours",
        _ if column.is_bare() => " bare",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str) -> Measured {
        Measured {
            name,
            times: vec![
                (Column::ParkingLot, vec![10.0]),
                (Column::Guard, vec![20.0]),
                (Column::Lockable, vec![20_000.0]),
            ],
            reference: None,
            goals: Vec::new(),
        }
    }

    #[test]
    fn bars_are_to_scale_but_for_the_cut_one() {
        let chart = draw(&[row("one key")]);
        let widths: Vec<_> = chart
            .lines()
            .filter(|line| line.contains("class=\"bar"))
            .filter_map(|line| line.split("width=\"").nth(1)?.split('"').next())
            .collect();
        assert_eq!(widths, ["75.0", "150.0", "150.0"]);
        assert_eq!(chart.matches("class=\"cut\"").count(), 3);
        assert!(chart.contains("20.0 µs"));
    }

    #[test]
    fn other_rows_are_not_drawn() {
        assert!(!draw(&[row("no key")]).contains("no key"));
    }
}
