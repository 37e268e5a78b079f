use lockutils::synchronized;

#[synchronized("a")]
fn start() -> impl futures::Stream<Item = u32> {
    futures::stream::iter([1])
}

fn main() {}
