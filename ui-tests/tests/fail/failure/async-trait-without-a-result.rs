use async_trait::async_trait;
use lockutils::synchronized;

#[async_trait]
pub trait Start {
    #[synchronized("a", acquire_timeout = "5s")]
    async fn start(&self) -> u32 {
        7
    }
}

fn main() {}
