//! What the first versions of `#[async_trait]` made of a method.

use lockutils::synchronized;
use std::pin::Pin;

pub struct Vm;

impl Vm {
    #[synchronized("a")]
    pub fn start<'life0, 'async_trait>(
        &'life0 self,
    ) -> Pin<Box<dyn Future<Output = u32> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
    {
        async fn start(_: &Vm) -> u32 {
            7
        }
        Box::pin(start(self))
    }
}

fn main() {}
