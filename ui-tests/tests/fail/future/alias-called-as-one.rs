use lockutils::synchronized;

type BoxFuture<T> = std::pin::Pin<Box<dyn Future<Output = T>>>;

#[synchronized("a")]
fn start(id: u32) -> BoxFuture<u32> {
    let future = async move { id };
    Box::pin(future)
}

fn main() {}
