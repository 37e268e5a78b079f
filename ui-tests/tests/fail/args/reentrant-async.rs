use lockutils::synchronized;

#[synchronized(key = id, reentrant)]
pub async fn start(id: u32) {}

fn main() {}
