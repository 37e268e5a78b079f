use lockutils::synchronized;

#[synchronized(key = id, when = Some(true))]
pub async fn start(id: u32) {}

fn main() {}
