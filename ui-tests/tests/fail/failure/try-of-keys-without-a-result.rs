use lockutils::synchronized;

#[synchronized(keys = [id], nonblocking)]
pub async fn start(id: u32) {}

fn main() {}
