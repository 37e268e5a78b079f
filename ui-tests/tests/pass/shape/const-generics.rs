//! Constants as parameters, with defaults and expressions.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

struct Grid<const ROWS: usize, const COLUMNS: usize = 2> {
    cells: [[u32; COLUMNS]; ROWS],
}

impl<const ROWS: usize> Grid<ROWS> {
    #[synchronized(key = (ROWS, row))]
    fn row<const AT: usize>(&mut self, row: usize) -> &mut [u32; 2] {
        assert!(is_locked((ROWS, row)) && AT < ROWS);
        &mut self.cells[row]
    }
}

impl<const ROWS: usize> Grid<ROWS, { 1 + 2 }> {
    #[synchronized(key = { ROWS })]
    async fn wide(&self) -> Grid<ROWS, { 1 + 2 }> {
        Grid { cells: self.cells }
    }
}

#[synchronized(key = if FLAG { "on" } else { "off" })]
fn flag<const FLAG: bool, const LETTER: char>() -> bool {
    is_locked(if FLAG { "on" } else { "off" }) && LETTER == 'x'
}

#[synchronized(key = N)]
fn arrays<const N: usize>() -> [(); 4] {
    [(); 4]
}

fn main() {
    let mut grid = Grid { cells: [[1, 2], [3, 4]] };
    grid.row::<1>(1)[0] += 1;
    assert_eq!(grid.cells[1], [4, 4]);
    let wide = block_on(Grid { cells: [[1, 2, 3]] }.wide());
    assert_eq!(wide.cells.len() + arrays::<3>().len(), 5);
    assert!(flag::<true, 'x'>() && flag::<false, 'x'>());
}
