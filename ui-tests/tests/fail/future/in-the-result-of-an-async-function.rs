use lockutils::synchronized;

#[synchronized("a")]
async fn start(id: u32) -> Result<impl Future<Output = u32>, String> {
    Ok(async move { id })
}

fn main() {}
