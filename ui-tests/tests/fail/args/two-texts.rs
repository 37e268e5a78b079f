use lockutils::synchronized;

#[synchronized("a", "b")]
fn start(id: u32) {}

fn main() {}
