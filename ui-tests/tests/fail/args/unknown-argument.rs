use lockutils::synchronized;

#[synchronized("a", colour = 5)]
fn start(id: u32) {}

fn main() {}
