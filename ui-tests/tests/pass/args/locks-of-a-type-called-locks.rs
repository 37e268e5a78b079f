//! `Locks::new` may be of a type of one's own.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

static VMS: lockutils::Locks = lockutils::Locks::new("vms");

struct Locks;

impl Locks {
    #[allow(clippy::new_ret_no_self)]
    fn new(_host: &str) -> &'static lockutils::Locks {
        &VMS
    }
}

#[synchronized(key = id, locks = Locks::new("node"))]
fn start(id: u32) -> bool {
    VMS.key(id).is_locked() && !is_locked(id)
}

#[synchronized(key = id, locks = Locks::new("node"))]
async fn stop(id: u32) -> bool {
    VMS.key(id).is_locked() && !is_locked(id)
}

#[synchronized(key = id, locks = &Locks::new("node"))]
fn future(id: u32) -> futures::future::BoxFuture<'static, bool> {
    let id = id + 1;
    Box::pin(async move { VMS.key(id - 1).is_locked() })
}

fn main() {
    assert!(start(7));
    assert!(futures::executor::block_on(stop(7)));
    assert!(futures::executor::block_on(future(7)));
}
