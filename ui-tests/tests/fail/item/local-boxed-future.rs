use lockutils::synchronized;

use futures::future::LocalBoxFuture;

#[synchronized("a")]
fn start() -> LocalBoxFuture<'static, u32> {
    let future = Box::pin(async { 1 });
    future
}

fn main() {}
