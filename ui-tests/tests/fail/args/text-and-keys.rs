use lockutils::synchronized;

#[synchronized("vm", keys = [id, 1])]
pub fn start(id: u32) {}

fn main() {}
