use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = "5s")]
pub async fn start(id: u32) -> u32 {
    id
}

fn main() {}
