//! `?` converts into the boxed error of an async function.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

#[synchronized("a")]
async fn collected_async(text: &str) -> Result<Vec<u32>, Box<dyn std::error::Error>> {
    let first = text.split(',').next().ok_or("empty")?;
    Ok(vec![first.parse()?])
}

fn main() {
    assert!(block_on(collected_async("x")).is_err());
    assert_eq!(block_on(collected_async("7")).unwrap(), [7]);
}
