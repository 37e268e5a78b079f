use lockutils::synchronized;

#[synchronized("vm-{0}")]
pub fn start(id: u32) {}

fn main() {}
