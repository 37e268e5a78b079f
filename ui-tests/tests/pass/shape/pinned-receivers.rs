//! Pinned and shared receivers, sync and async.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

struct Vm {
    id: u32,
}

impl Vm {
    #[synchronized(key = self.id)]
    fn pinned(mut self: Pin<&mut Self>) -> u32 {
        self.id += 1;
        self.id
    }

    #[synchronized(key = self.id)]
    fn pinned_box(self: Pin<Box<Self>>) -> Pin<Box<Self>> {
        assert!(is_locked(self.id));
        self
    }

    #[synchronized(key = self.id)]
    fn reference_to_box(self: &mut Box<Self>) -> &mut u32 {
        &mut self.id
    }

    #[synchronized(key = self.id)]
    async fn pinned_async(self: Pin<&mut Self>) -> bool {
        is_locked(self.id)
    }

    #[synchronized(key = self.id)]
    async fn rc(self: Rc<Self>) -> u32 {
        self.id
    }

    #[synchronized(key = self.id)]
    async fn arc(self: &Arc<Self>) -> Arc<Self> {
        Arc::clone(self)
    }
}

impl Future for Vm {
    type Output = bool;

    #[synchronized(key = self.id)]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<bool> {
        Poll::Ready(is_locked(self.id))
    }
}

fn main() {
    let mut vm = pin!(Vm { id: 7 });
    assert_eq!(vm.as_mut().pinned(), 8);
    let mut boxed = Box::new(Vm { id: 7 });
    *boxed.reference_to_box() += 1;
    assert_eq!(Box::into_pin(boxed).pinned_box().id, 8);
    block_on(async {
        assert!(vm.as_mut().pinned_async().await && vm.await);
        assert_eq!(Rc::new(Vm { id: 7 }).rc().await, 7);
        assert_eq!(Arc::new(Vm { id: 7 }).arc().await.id, 7);
    });
}
