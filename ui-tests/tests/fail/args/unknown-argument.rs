use lockutils::synchronized;

#[synchronized("a", lock_path = 5)]
fn start(id: u32) {}

fn main() {}
