use lockutils::synchronized;

#[synchronized("vm-}")]
pub fn start(id: u32) {}

fn main() {}
