use lockutils::synchronized;

#[synchronized("a")]
fn start(id: u32) -> std::pin::Pin<Box<dyn std::future::Future<Output = u32> + Send>> {
    if id == 0 { Box::pin(async { 0 }) } else { Box::pin(async { 1 }) }
}

fn main() {}
