use lockutils::synchronized;

async fn ids() -> [u32; 2] {
    [1, 2]
}

#[synchronized(keys = ids().await)]
pub fn start(id: u32) {}

fn main() {}
