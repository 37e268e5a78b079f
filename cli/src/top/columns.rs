//! The columns of the table: what goes into them, and how wide they are.
//!
//! Where there is no room for all, the files of holders lose their folders first, which leaves more for
//! the names of threads; then figures go, the lesser ones first; and what is too wide still is cut, and
//! ends with a sign that says so.

use crate::answer::Party;
use crate::fit::cut;
use ratatui::layout::{Alignment, Constraint};
use ratatui::text::Text;
use ratatui::widgets::Cell;
use textwrap::core::display_width;

/// The columns that say how many and how long: their titles and widths.
pub(super) const FIGURES: [(&str, u16); 4] = [
    ("FOR AT LEAST", 12),
    ("WAIT", 5),
    ("OLDEST", 8),
    ("LOAD", 6),
];

/// Which of them go first where there is no room: where so much of the names of locks and holders
/// couldn't be seen.
const LESSER: [(usize, u16); FIGURES.len()] = [(3, 48), (0, 48), (2, 40), (1, 24)];

/// What is in a line.
#[derive(Default)]
pub(super) struct Cells {
    pub(super) sign: &'static str,
    pub(super) lock: String,
    /// Who holds it.
    pub(super) holder: Named,
    /// In the order of [`FIGURES`].
    pub(super) figures: [String; FIGURES.len()],
    pub(super) note: String,
    pub(super) is_alarm: bool,
}

/// A name, and the same where there is less room.
#[derive(Default)]
pub(super) struct Named {
    whole: String,
    short: String,
}

impl Named {
    /// What somebody, or a lock's holders, are called by this way to call one.
    pub(super) fn of(name: impl Fn(fn(&Party) -> String) -> String) -> Self {
        Self {
            whole: name(Party::name),
            short: name(Party::short_name),
        }
    }
}

/// How wide they are.
pub(super) struct Columns {
    lock: u16,
    holder: u16,
    /// The figures that there is room for, by their places.
    figures: Vec<usize>,
    is_short: bool,
}

impl Columns {
    /// Those of a table so wide.
    pub(super) fn fit(width: u16, cells: &[Cells]) -> Self {
        let taken = |figures: &[usize]| -> u16 {
            let widths = figures.iter().map(|index| FIGURES[*index].1 + 1);
            widths.sum()
        };
        let mut figures: Vec<_> = (0..FIGURES.len()).collect();
        for (lesser, names) in LESSER {
            if taken(&figures) + names > width {
                figures.retain(|index| *index != lesser);
            }
        }
        let widest = |text: fn(&Cells) -> &str| {
            let widths = cells.iter().map(|cells| display_width(text(cells)));
            u16::try_from(widths.max().unwrap_or_default()).unwrap_or(u16::MAX)
        };
        // Between columns are blanks, and the sign is one.
        let room = width.saturating_sub(taken(&figures) + 4);
        let (lock, note) = (widest(|cells| &cells.lock), widest(|cells| &cells.note));
        let whole = widest(|cells| &cells.holder.whole);
        let is_short = lock.saturating_add(note).saturating_add(whole) > room;
        let holder = if is_short {
            widest(|cells| &cells.holder.short)
        } else {
            whole
        };
        let for_lock = room.saturating_sub(holder.saturating_add(note));
        let lock = lock.clamp(4, for_lock.max(room * 2 / 5).max(4));
        let holder = holder.clamp(7, room.saturating_sub(lock).max(7));
        Self {
            lock,
            holder,
            figures,
            is_short,
        }
    }

    pub(super) fn widths(&self) -> Vec<Constraint> {
        let mut widths = [1, self.lock, self.holder].map(Constraint::Length).to_vec();
        let figures = self.figures.iter().map(|index| FIGURES[*index].1);
        widths.extend(figures.map(Constraint::Length));
        widths.push(Constraint::Fill(1));
        widths
    }

    pub(super) fn titles(&self) -> Vec<Cell<'static>> {
        let titles = FIGURES.map(|(title, _)| title.to_owned());
        self.all(["", "LOCK", "HELD BY", ""].map(str::to_owned), titles)
    }

    pub(super) fn line(&self, cells: Cells) -> Vec<Cell<'static>> {
        let Named { whole, short } = cells.holder;
        let holder = if self.is_short { short } else { whole };
        let names = [
            cells.sign.to_owned(),
            cut(cells.lock, self.lock),
            cut(holder, self.holder),
            cells.note,
        ];
        self.all(names, cells.figures)
    }

    fn all(
        &self,
        [sign, lock, holder, note]: [String; 4],
        figures: [String; FIGURES.len()],
    ) -> Vec<Cell<'static>> {
        let figures = figures.into_iter().enumerate();
        let figures = figures.filter(|(index, _)| self.figures.contains(index));
        let figures = figures.map(|(_, text)| Text::raw(text).alignment(Alignment::Right));
        let mut all = [sign, lock, holder].map(Cell::from).to_vec();
        all.extend(figures.map(Cell::from));
        all.push(Cell::from(note));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_go_before_figures_and_notes() {
        let party = Party {
            site: Some("connect (tests/examples/cells.rs:41)".to_owned()),
            thread: Some("worker-3".to_owned()),
            ..Party::default()
        };
        let cells = |lock: &str| Cells {
            lock: lock.to_owned(),
            holder: Named::of(|name| name(&party)),
            note: "⇠ cells/2f1c".to_owned(),
            ..Cells::default()
        };
        let texts = |width| {
            let (columns, cells) = (
                Columns::fit(width, &[cells("images/9a")]),
                cells("images/9a"),
            );
            let line = columns.line(cells);
            (format!("{:?}", line[2]), columns.figures.len())
        };
        let (whole, figures) = texts(120);
        assert!(
            whole.contains("\"connect (tests/examples/cells.rs:41) worker-3\""),
            "{whole}"
        );
        assert_eq!(figures, 4);
        let (short, figures) = texts(90);
        assert!(
            short.contains("\"connect (cells.rs:41) worker-3\""),
            "{short}"
        );
        assert_eq!(figures, 4);
    }
}
