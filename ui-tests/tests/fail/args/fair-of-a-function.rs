use lockutils::synchronized;

#[synchronized("vm-{id}", fair)]
fn start(id: u32) {}

fn main() {}
