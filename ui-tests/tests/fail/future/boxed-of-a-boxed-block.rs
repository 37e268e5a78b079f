use futures::future::BoxFuture;
use lockutils::synchronized;

#[synchronized("a")]
fn start(id: u32) -> BoxFuture<'static, BoxFuture<'static, u32>> {
    Box::pin(async move { Box::pin(async move { id }) as BoxFuture<'static, u32> })
}

fn main() {}
