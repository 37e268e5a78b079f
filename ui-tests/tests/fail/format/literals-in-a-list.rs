use lockutils::synchronized;

#[synchronized(keys = ["vm-{id}", "vm-7"])]
pub fn start(id: u32) {}

fn main() {}
