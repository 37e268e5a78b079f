//! Trait methods with a body, and the methods of trait impls, also behind `dyn`.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

trait Start {
    fn id(&self) -> u32;

    #[synchronized(key = self.id())]
    fn start(&self) -> bool {
        is_locked(self.id())
    }

    fn stop(&self) -> bool;
}

trait StartAsync {
    #[synchronized("start")]
    async fn start(&self) -> bool {
        is_locked("start")
    }

    async fn stop(&self) -> bool;
}

struct Vm(u32);

impl Start for Vm {
    fn id(&self) -> u32 {
        self.0
    }

    #[synchronized(key = self.0)]
    fn stop(&self) -> bool {
        is_locked(self.0)
    }
}

impl StartAsync for Vm {
    #[synchronized(key = self.0)]
    async fn stop(&self) -> bool {
        is_locked(self.0)
    }
}

impl Drop for Vm {
    #[synchronized(key = self.0)]
    fn drop(&mut self) {
        assert!(is_locked(self.0));
    }
}

fn main() {
    let vm: &dyn Start = &Vm(7);
    assert!(vm.start() && vm.stop());
    block_on(async {
        assert!(StartAsync::start(&Vm(8)).await);
        assert!(StartAsync::stop(&Vm(8)).await);
    });
}
