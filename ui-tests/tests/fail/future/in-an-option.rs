use lockutils::synchronized;

#[synchronized("a")]
fn start(id: u32) -> Option<impl Future<Output = u32>> {
    Some(async move { id })
}

fn main() {}
