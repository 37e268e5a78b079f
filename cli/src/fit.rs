//! What of a text has room on a terminal.

use textwrap::core::display_width;

/// As much of a text as has room, with a sign at its end if that isn't all.
pub(crate) fn cut(text: String, width: u16) -> String {
    let width = usize::from(width);
    if display_width(&text) <= width {
        return text;
    }
    let mut cut = String::new();
    for char in text.chars() {
        cut.push(char);
        if display_width(&cut) >= width {
            cut.pop();
            break;
        }
    }
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_wide_ends_with_a_sign() {
        for (text, width, is) in [
            ("cells/2f1c", 10, "cells/2f1c"),
            ("cells/2f1c", 9, "cells/2f…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("日本語", 1, "…"),
        ] {
            assert_eq!(cut(text.to_owned(), width), is, "{text} {width}");
        }
    }
}
