use lockutils::synchronized;
use lockutils_ui_tests::Files;

#[async_trait::async_trait]
pub trait Start {
    #[synchronized("a", locks = Files)]
    async fn start(&self) -> Option<u32> {
        Some(1)
    }
}

fn main() {}
