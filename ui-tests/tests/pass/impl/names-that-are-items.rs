//! A name in a block's key that is an argument of one method may be something else in another:
//! a unit struct, a function that is passed on, a name that a macro binds, a parameter.
#![deny(warnings)]

use lockutils::{LockKey, is_locked, synchronized};

#[derive(Clone, Copy, LockKey)]
struct Everything;

struct Vm {
    number: Option<u32>,
}

const fn host() -> u32 {
    7
}

fn call(function: impl Fn() -> u32) -> u32 {
    function()
}

#[synchronized(key = Everything)]
impl Vm {
    fn attach(&self, Everything: Everything) -> bool {
        is_locked("Everything")
    }

    fn detach(&self) -> bool {
        is_locked("Everything")
    }
}

#[synchronized(key = (call(host), matches!(self.number, Some(id) if id > 1)))]
impl Vm {
    fn start(&self, host: impl Fn() -> u32 + Copy, id: u32) -> bool {
        is_locked((host() + id, true))
    }

    fn stop(&self) -> bool {
        is_locked((7, true))
    }

    async fn pause(&self) -> bool {
        is_locked((7, true))
    }
}

#[synchronized(key = COUNT)]
impl Vm {
    fn resize<const COUNT: usize>(&self) -> bool {
        is_locked(COUNT)
    }

    #[allow(non_snake_case)]
    fn grow(&self, COUNT: usize) -> bool {
        is_locked(COUNT)
    }
}

fn main() {
    let vm = Vm { number: Some(7) };
    assert!(vm.attach(Everything) && vm.detach());
    assert!(vm.start(|| 2, 0) && vm.stop());
    assert!(futures::executor::block_on(vm.pause()));
    assert!(vm.resize::<7>() && vm.grow(7));
}
