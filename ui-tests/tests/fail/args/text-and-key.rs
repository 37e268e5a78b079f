use lockutils::synchronized;

#[synchronized("a", key = id)]
fn start(id: u32) {}

fn main() {}
