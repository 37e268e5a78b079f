use lockutils::synchronized;

#[synchronized("vm-{name:>5}")]
pub fn start(id: u32) {}

fn main() {}
