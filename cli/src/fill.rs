//! The end of a subcommand's help in lines as wide as the terminal.
//!
//! The files of `help` have lines of their own, which clap would cut where the terminal is
//! narrower, one by one. So the lines of a paragraph are joined before, and so are those of an
//! item: what is indented, with its text behind it, which goes on below where it begins.

use rustix::stdio::{stderr, stdin, stdout};
use rustix::termios::tcgetwinsize;
use std::env;
use textwrap::{Options, WordSplitter};

/// How wide help is at most, and where there is no terminal.
pub(crate) const WIDEST: usize = 100;

/// How wide help is: as the terminal is, whichever of the three files that is, as for a pager.
pub(crate) fn width() -> usize {
    let sizes = [stdout(), stderr(), stdin()].into_iter().map(tcgetwinsize);
    let columns = sizes.flatten().map(|size| usize::from(size.ws_col));
    let said = env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let width = columns.chain(said).find(|&columns| columns > 0);
    width.unwrap_or(WIDEST).min(WIDEST)
}

/// The text with lines of this width at most, unless a word is wider.
pub(crate) fn filled(text: &str, width: usize) -> String {
    let mut filled = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let below = column(line);
        let mut whole = line.to_owned();
        while let Some(next) = lines.next_if(|next| goes_on(line, next, below)) {
            whole.push(' ');
            whole.push_str(next.trim_start());
        }
        filled.push_str(&wrapped(&whole, below, width));
        filled.push('\n');
    }
    filled
}

/// Where the text of a line begins that may go on in the next line: behind what it explains.
fn column(line: &str) -> usize {
    let indent = indent(line);
    let explained = line[indent..].find("  ").filter(|_| indent > 0);
    explained.map_or(indent, |end| {
        let gap = &line[indent + end..];
        indent + end + (gap.len() - gap.trim_start().len())
    })
}

/// Whether the next line is of the same paragraph, or of the same item.
fn goes_on(first: &str, next: &str, below: usize) -> bool {
    let is_title = first.ends_with(':') && below == 0 && indent(next) > 0;
    let is_more = below > indent(first) || below == 0;
    !first.is_empty() && !next.is_empty() && !is_title && is_more && indent(next) == below
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The text of `line` from `below` on, in lines that begin there.
fn wrapped(line: &str, below: usize, width: usize) -> String {
    let (first, text) = line.split_at(below);
    let margin = " ".repeat(below);
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(&margin)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::fill(text, options)
}

#[cfg(test)]
mod tests {
    use super::filled;

    const HELP: &str = "\
Examples:
  lockutils run a -- b
      runs it

One, two, three, four,
five.

Exit status:
  0    done; also if
       there was no
  127  no
";

    #[test]
    fn lines_are_as_wide_as_can_be() {
        let narrow = "\
Examples:
  lockutils run a --
  b
      runs it

One, two, three,
four, five.

Exit status:
  0    done; also if
       there was no
  127  no
";
        assert_eq!(filled(HELP, 20), narrow);
        let wide = HELP.replace(",\nf", ", f").replace("\n       ", " ");
        assert_eq!(filled(HELP, 100), wide);
    }

    #[test]
    fn word_that_is_wider_stays_whole() {
        assert_eq!(filled("as\nlockutils\n", 4), "as\nlockutils\n");
    }
}
