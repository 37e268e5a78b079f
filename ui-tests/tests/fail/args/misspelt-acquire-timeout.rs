use lockutils::synchronized;

#[synchronized(key = id, aquire_timeout = "5s")]
pub fn start(id: u32) {}

fn main() {}
