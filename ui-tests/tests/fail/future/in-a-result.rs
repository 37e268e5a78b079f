use lockutils::synchronized;

#[synchronized("a")]
fn start(id: u32) -> Result<futures::future::BoxFuture<'static, u32>, String> {
    Ok(Box::pin(async move { id }))
}

fn main() {}
