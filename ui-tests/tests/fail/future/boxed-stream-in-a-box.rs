use futures::stream::{self, Stream};
use lockutils::synchronized;

#[synchronized("a")]
fn events(id: u32) -> Box<dyn Stream<Item = u32> + Unpin> {
    Box::new(stream::iter([id]))
}

fn main() {}
