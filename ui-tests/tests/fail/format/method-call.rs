use lockutils::synchronized;

#[synchronized("vm-{id.to_string()}")]
pub fn start(id: u32) {}

fn main() {}
