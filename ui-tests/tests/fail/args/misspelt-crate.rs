use lockutils::synchronized;

#[synchronized("a", crates = lockutils)]
fn start(id: u32) {}

fn main() {}
