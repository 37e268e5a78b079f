use futures::stream::{self, Stream};
use lockutils::synchronized;

struct Sse<S>(S);

#[synchronized("a")]
async fn events(id: u32) -> Sse<impl Stream<Item = Result<u32, String>>> {
    Sse(stream::once(async move { Ok(id) }))
}

fn main() {}
