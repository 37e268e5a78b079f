//! Functions that a `macro_rules` writes, with parts from the caller.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

macro_rules! with_block {
    ($name:ident, $key:expr, $body:block) => {
        #[synchronized(key = $key)]
        fn $name() -> u32 $body
    };
}

with_block!(block, 1u32 + 2, { u32::from(is_locked(3)) });

macro_rules! with_literal {
    ($name:ident($arg:ident), $text:literal) => {
        #[synchronized($text)]
        async fn $name($arg: u32) -> u32 {
            $arg
        }
    };
}

with_literal!(literal(id), "vm-{id}");

macro_rules! with_item {
    ($item:item) => {
        #[synchronized(key = "item")]
        $item
    };
}

with_item! {
    fn item() -> bool {
        is_locked("item")
    }
}

macro_rules! with_type {
    ($name:ident, $ty:ty, $future:expr) => {
        #[synchronized(key = id)]
        fn $name(id: u32) -> $ty {
            $future
        }
    };
}

with_type!(future_expression, impl Future<Output = u32>, async move { 7 });
with_type!(
    pinned_expression,
    std::pin::Pin<Box<dyn Future<Output = u32>>>,
    Box::pin(async { 8 })
);

macro_rules! with_async_block {
    ($name:ident, $body:block) => {
        #[synchronized("block")]
        fn $name() -> impl Future<Output = bool> {
            async $body
        }
    };
}

with_async_block!(async_block, { is_locked("block") });

macro_rules! both_born_here {
    ($name:ident) => {
        #[synchronized(key = id)]
        fn $name(id: u32) -> bool {
            is_locked(id)
        }
    };
}

both_born_here!(born);

macro_rules! with_tokens {
    ($($args:tt)*) => {
        #[synchronized($($args)*)]
        fn tokens(id: u32) -> bool {
            is_locked(id)
        }
    };
}

with_tokens!(key = 7_u32, locks = lockutils::global());

macro_rules! with_path {
    ($path:path, $space:expr) => {
        #[synchronized("a", crate = $path, locks = $space)]
        fn path() {}
    };
}

with_path!(lockutils, lockutils::global());

fn main() {
    assert_eq!(block(), 1);
    assert!(item() && born(7) && tokens(7));
    path();
    block_on(async {
        assert_eq!(literal(7).await, 7);
        assert_eq!(future_expression(7).await + pinned_expression(7).await, 15);
        assert!(async_block().await);
    });
}
