//! The key is a `$text:literal` with captures.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

macro_rules! with_literal {
    ($name:ident($arg:ident), $text:literal) => {
        #[synchronized($text)]
        async fn $name($arg: u32) -> u32 {
            $arg
        }
    };
}

with_literal!(literal(id), "vm-{id}");

fn main() {
    assert_eq!(block_on(literal(7)), 7);
}
