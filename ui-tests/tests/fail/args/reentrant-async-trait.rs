use async_trait::async_trait;
use lockutils::synchronized;

#[async_trait]
pub trait Start {
    #[synchronized("a", reentrant)]
    async fn start(&self) {}
}

fn main() {}
