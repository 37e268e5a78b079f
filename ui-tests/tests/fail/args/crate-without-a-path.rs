use lockutils::synchronized;

#[synchronized("a", crate = 1 + 2)]
fn start(id: u32) {}

fn main() {}
