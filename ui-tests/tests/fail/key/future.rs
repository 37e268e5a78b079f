use lockutils::synchronized;

async fn id() -> u32 {
    7
}

#[synchronized(key = id())]
pub async fn start() {}

fn main() {}
