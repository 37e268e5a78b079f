use lockutils::synchronized;

#[synchronized("vm-{id}", permits = 4)]
fn start(id: u32) {}

fn main() {}
