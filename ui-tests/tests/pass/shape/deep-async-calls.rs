//! Annotated async functions that call each other, deeper than a wrapped future allows.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

macro_rules! chain {
    ($name:ident) => {
        #[synchronized(key = stringify!($name))]
        async fn $name(depth: u32) -> u32 {
            depth
        }
    };
    ($name:ident $next:ident $($rest:ident)*) => {
        #[synchronized(key = stringify!($name))]
        async fn $name(depth: u32) -> u32 {
            $next(depth + 1).await
        }
        chain!($next $($rest)*);
    };
}

chain!(a b c d e f g h i j k l m n o p q r s t u v w x y z);

fn main() {
    assert_eq!(block_on(a(0)), 25);
}
