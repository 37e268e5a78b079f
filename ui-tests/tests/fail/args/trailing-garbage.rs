use lockutils::synchronized;

#[synchronized("a".len())]
fn start(id: u32) {}

fn main() {}
