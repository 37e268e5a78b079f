//! Every method that takes `self` is locked, in whatever way it takes it.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

#[derive(Clone)]
struct Vm {
    id: u32,
}

#[synchronized(key = self.id)]
impl Vm {
    const FIRST: u32 = 1;

    /// Takes no `self`, so there is no key.
    fn new(id: u32) -> Self {
        assert!(!is_locked(id));
        Self { id }
    }

    const fn constant() -> u32 {
        Self::FIRST
    }

    fn by_reference(&self) -> bool {
        is_locked(7)
    }

    fn by_mutable_reference(&mut self) -> &mut u32 {
        assert!(is_locked(7));
        &mut self.id
    }

    fn by_value(self) -> bool {
        is_locked(7)
    }

    fn by_mutable_value(mut self) -> bool {
        self.id += 1;
        is_locked(7)
    }

    fn boxed(self: Box<Self>) -> bool {
        is_locked(7)
    }

    fn rc(self: &Rc<Self>) -> bool {
        is_locked(7)
    }

    fn arc(self: Arc<Self>) -> bool {
        is_locked(7)
    }

    fn pinned(self: Pin<&mut Self>) -> bool {
        is_locked(7)
    }

    fn typed<'a>(self: &'a Vm, _other: &str) -> &'a u32 {
        assert!(is_locked(7));
        &self.id
    }

    async fn task(&self) -> bool {
        is_locked(7)
    }

    fn future(&self) -> impl Future<Output = bool> + '_ {
        async move { is_locked(7) && self.id == 7 }
    }

    fn boxed_future<'a>(&'a self) -> Pin<Box<dyn Future<Output = bool> + 'a>> {
        Box::pin(async move { is_locked(7) && self.id == 7 })
    }
}

fn main() {
    let mut vm = Vm::new(7);
    assert!(vm.by_reference());
    assert_eq!(*vm.by_mutable_reference(), 7);
    assert!(vm.clone().by_value() && vm.clone().by_mutable_value());
    assert!(Box::new(vm.clone()).boxed());
    assert!(Rc::new(vm.clone()).rc() && Arc::new(vm.clone()).arc());
    assert!(Pin::new(&mut vm).pinned());
    assert_eq!(*vm.typed("x"), 7);
    assert!(block_on(vm.task()));
    assert!(block_on(vm.future()) && block_on(vm.boxed_future()));
    assert_eq!(Vm::constant(), 1);
}
