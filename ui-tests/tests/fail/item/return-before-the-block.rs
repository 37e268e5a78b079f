use lockutils::synchronized;

#[synchronized("a")]
fn start(id: u32) -> futures::future::BoxFuture<'static, u32> {
    if id == 0 {
        return Box::pin(std::future::ready(0));
    }
    Box::pin(async move { id })
}

fn main() {}
