use lockutils::synchronized;

#[synchronized("a")]
fn start(ids: Vec<u32>) -> impl Iterator<Item = impl Future<Output = u32>> {
    ids.into_iter().map(|id| async move { id })
}

fn main() {}
