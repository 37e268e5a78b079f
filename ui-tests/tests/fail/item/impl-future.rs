use lockutils::synchronized;

#[synchronized("a")]
fn start() -> impl Future<Output = u32> {
    std::future::ready(1)
}

fn main() {}
