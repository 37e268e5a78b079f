use lockutils::synchronized;

#[synchronized("vm-{id:width$}")]
pub fn start(id: u32) {}

fn main() {}
