//! `collect()` knows the return type.
#![deny(warnings)]

use lockutils::synchronized;

#[synchronized("a")]
fn collected(text: &str) -> Result<Vec<u32>, std::num::ParseIntError> {
    text.split(',').map(str::parse).collect()
}

fn main() {
    assert_eq!(collected("1,2"), Ok(vec![1, 2]));
}
