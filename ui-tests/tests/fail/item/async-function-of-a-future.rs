use lockutils::synchronized;

#[synchronized("a")]
async fn start() -> impl Future<Output = u32> {
    async move { 1 }
}

fn main() {}
