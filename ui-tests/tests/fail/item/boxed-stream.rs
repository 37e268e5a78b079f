use lockutils::synchronized;

#[synchronized("a")]
fn start() -> futures::stream::BoxStream<'static, u32> {
    Box::pin(futures::stream::iter([1]))
}

fn main() {}
