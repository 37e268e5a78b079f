use lockutils::synchronized;

#[synchronized("a", nonblocking, or_else = panic!("busy"))]
pub fn start() {}

fn main() {}
