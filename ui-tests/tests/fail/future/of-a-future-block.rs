use lockutils::synchronized;

#[synchronized("a")]
fn start(id: u32) -> impl Future<Output = Option<impl Future<Output = u32>>> {
    async move { Some(async move { id }) }
}

fn main() {}
