use lockutils::synchronized;

#[synchronized("vm-{id:.*}")]
pub fn start(id: u32) {}

fn main() {}
