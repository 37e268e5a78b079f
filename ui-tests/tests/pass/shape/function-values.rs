//! Annotated functions as values: in a table, as an argument, in a static.
#![deny(warnings)]

use futures::executor::block_on;
use futures::future::{BoxFuture, FutureExt as _};
use lockutils::{is_locked, synchronized};
use std::future::Future;
use std::sync::LazyLock;

#[synchronized(key = id)]
fn start(id: u32) -> bool {
    is_locked(id)
}

#[synchronized(key = id)]
async fn start_async(id: u32) -> bool {
    is_locked(id)
}

struct Vm;

impl Vm {
    #[synchronized(key = id)]
    fn stop(&self, id: u32) -> bool {
        is_locked(id)
    }
}

const TABLE: [(&str, fn(u32) -> bool); 1] = [("start", start)];

static STARTED: LazyLock<bool> = LazyLock::new(|| start(7));

fn call<F: Future<Output = bool>>(function: impl Fn(u32) -> F) -> bool {
    block_on(function(7))
}

async fn call_async(function: impl AsyncFn(u32) -> bool) -> bool {
    function(7).await
}

fn main() {
    assert!(TABLE[0].1(7) && *STARTED);
    assert_eq!([1, 2].map(start), [true, true]);
    assert!(call(start_async) && block_on(call_async(start_async)));
    let stop: fn(&Vm, u32) -> bool = Vm::stop;
    assert!(stop(&Vm, 7));
    let boxed: fn(u32) -> BoxFuture<'static, bool> = |id| start_async(id).boxed();
    assert!(block_on(boxed(7)));
}
