use lockutils::synchronized;

#[synchronized("a")]
fn start(id: u32) -> impl IntoFuture<Output = u32> {
    std::future::ready(id)
}

fn main() {}
