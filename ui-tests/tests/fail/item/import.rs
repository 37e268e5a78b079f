use lockutils::synchronized;

#[synchronized]
pub use std::fmt;

fn main() {}
