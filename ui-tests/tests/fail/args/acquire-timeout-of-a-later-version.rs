use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = "250ms")]
fn start(id: u32) {}

fn main() {}
