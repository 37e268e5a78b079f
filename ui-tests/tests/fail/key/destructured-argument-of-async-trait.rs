use async_trait::async_trait;
use lockutils::synchronized;

#[async_trait]
trait Start {
    #[synchronized(key = id)]
    async fn start(&self, (id, name): (u32, String)) {
        drop((id, name));
    }
}

fn main() {}
