//! `break`, `continue` and `return` in loops with labels.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("a")]
fn labels(rows: &[&[u32]]) -> Option<u32> {
    'rows: for row in rows {
        for &cell in *row {
            if cell == 0 {
                continue 'rows;
            }
            if cell > 9 {
                break 'rows;
            }
        }
        return row.first().copied();
    }
    None
}

fn main() {
    assert_eq!(labels(&[&[0], &[5, 1], &[10]]), Some(5));
    assert_eq!(labels(&[&[10]]), None);
}
