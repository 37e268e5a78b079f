use futures::stream::{self, BoxStream};
use lockutils::synchronized;

#[synchronized("a")]
fn events(id: u32) -> Result<BoxStream<'static, u32>, String> {
    Ok(Box::pin(stream::iter([id])))
}

fn main() {}
