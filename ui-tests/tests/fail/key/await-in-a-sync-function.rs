use lockutils::synchronized;

async fn load(id: u32) -> u32 {
    id
}

#[synchronized(key = load(id).await)]
fn start(id: u32) {}

fn main() {}
