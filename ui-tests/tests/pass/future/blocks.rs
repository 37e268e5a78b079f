//! Bodies that end in an `async` block, or in `Box::pin` of one, take the lock inside.
#![deny(warnings)]

use futures::executor::block_on;
use futures::future::{BoxFuture, LocalBoxFuture};
use lockutils::{Locks, is_locked, synchronized};
use std::future::Future;
use std::pin::Pin;

static VMS: Locks = Locks::new("vms");

struct Vm {
    id: u32,
}

impl Vm {
    #[synchronized(key = self.id)]
    fn moved(&self) -> impl Future<Output = bool> + Send {
        async move { is_locked(self.id) }
    }

    #[synchronized(key = self.id)]
    fn not_moved(&self) -> impl Future<Output = bool> + Send {
        async { is_locked(self.id) }
    }

    #[synchronized(key = self.id, locks = VMS)]
    fn pinned(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async move { VMS.key(self.id).is_locked() })
    }

    #[synchronized(key = self.id)]
    fn mutable(&mut self) -> BoxFuture<'_, &mut u32> {
        ::std::boxed::Box::pin(async { &mut self.id })
    }
}

#[synchronized]
fn own() -> impl Future<Output = usize> {
    async { lockutils::snapshot().len() }
}

/// Without the attribute, the block reads no argument.
#[synchronized("vm-{id}")]
fn not_moved_key(id: u32) -> impl Future<Output = bool> {
    async { is_locked("vm-7") }
}

#[synchronized(key = id)]
fn statements_run_at_the_call(id: u32, log: &mut Vec<bool>) -> LocalBoxFuture<'static, u32> {
    let before = is_locked(id);
    log.push(before);
    if before {
        log.clear();
    }
    Box::pin(
        async move {
            assert!(is_locked(id));
            1
        },
    )
}

#[synchronized(key = name)]
fn with_question_mark(
    name: String,
) -> impl Future<Output = Result<u32, Box<dyn std::error::Error>>> {
    async move { Ok(name.parse::<u32>()?) }
}

#[synchronized("return")]
fn returns_in_the_block(early: bool) -> impl Future<Output = u32> {
    let inner = async move {
        if early {
            return 1;
        }
        2
    };
    async move {
        if early {
            return inner.await;
        }
        3
    }
}

fn main() {
    let mut vm = Vm { id: 7 };
    block_on(async {
        assert!(vm.moved().await && vm.not_moved().await && vm.pinned().await);
        *vm.mutable().await += 1;
        assert_eq!(vm.id, 8);
        assert_eq!(own().await, 1);
        assert!(not_moved_key(7).await);

        let mut log = Vec::new();
        let future = statements_run_at_the_call(7, &mut log);
        assert_eq!(log, [false]);
        assert!(!is_locked(7));
        assert_eq!(future.await, 1);

        assert!(with_question_mark("x".into()).await.is_err());
        assert_eq!(with_question_mark("7".into()).await.unwrap(), 7);
        assert_eq!(returns_in_the_block(true).await + returns_in_the_block(false).await, 4);
    });
}
