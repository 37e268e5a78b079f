use lockutils::synchronized;

pub struct Cell;

#[synchronized("vm-{cell}")]
pub fn start(cell: Cell) {}

fn main() {}
