use lockutils::synchronized;

#[synchronized("a")]
fn start() -> futures::future::BoxFuture<'static, u32> {
    futures::FutureExt::boxed(async { 1 })
}

fn main() {}
