use lockutils::synchronized;

#[synchronized("a", timeout = 5)]
fn start(id: u32) {}

fn main() {}
