use lockutils::synchronized;

#[synchronized(keys = [Some(id)])]
pub async fn start(id: u32) {}

fn main() {}
