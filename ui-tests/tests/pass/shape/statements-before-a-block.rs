//! Statements before the block run at the call, behind the attribute's expressions. What
//! returns from something else than the function may stand there.
#![deny(warnings)]

use futures::executor::block_on;
use futures::future::BoxFuture;
use lockutils::{is_locked, synchronized};

macro_rules! early {
    ($value:expr) => {
        return $value
    };
}

macro_rules! lengths {
    ($($text:expr),*) => {
        [$($text.len()),*]
    };
}

#[synchronized(key = id)]
fn closures(id: u32, flags: u32) -> BoxFuture<'static, u32> {
    let half = |x: u32| {
        if x < 2 {
            return x;
        }
        x / 2
    };
    let no_braces = |x: u32| if x > 100 { return 100 } else { x };
    let moved = move || {
        if flags | 1 == 1 || flags > 2 {
            early!(flags);
        }
        7
    };
    let lengths = lengths!["a", { let f = || { return "bc"; }; f() }];
    assert!(lengths[1] == 2 && flags != 9 && !lengths.is_empty());
    let sum = half(id) + no_braces(id) + moved();
    Box::pin(async move { sum + u32::from(is_locked(id)) })
}

#[synchronized(key = id)]
fn functions(id: u32) -> BoxFuture<'static, u32> {
    fn inner(id: u32) -> u32 {
        if id == 0 {
            return 1;
        }
        id
    }
    struct Local;
    impl Local {
        const fn value(&self) -> u32 {
            return 3;
        }
    }
    if id == 100 {
        panic!("no such id");
    }
    let value = inner(id) + Local.value();
    Box::pin(async move { value })
}

#[synchronized(key = id)]
fn tasks(id: u32) -> BoxFuture<'static, u32> {
    let closure = async |x: u32| {
        if x == 0 {
            return 1;
        }
        x
    };
    let moved = async move |x: u32| {
        return x;
    };
    let block = async move {
        if id == 0 {
            return 1;
        }
        closure(id).await + moved(id).await
    };
    Box::pin(async move { block.await })
}

fn main() {
    assert_eq!(block_on(closures(7, 2)), 3 + 7 + 7 + 1);
    assert_eq!(block_on(functions(7)), 10);
    assert_eq!(block_on(tasks(7)), 14);
}
