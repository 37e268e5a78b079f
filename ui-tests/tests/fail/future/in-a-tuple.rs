use lockutils::synchronized;

#[synchronized("a")]
fn start(id: u32) -> (u32, std::pin::Pin<Box<dyn Future<Output = u32> + Send>>) {
    (id, Box::pin(async move { id }))
}

fn main() {}
