use lockutils::synchronized;

#[synchronized("vm-{id:q}")]
pub fn start(id: u32) {}

fn main() {}
