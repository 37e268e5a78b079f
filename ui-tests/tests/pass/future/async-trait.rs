//! `#[async_trait]` makes `Box::pin(async move { .. })` of a method, and the lock
//! is taken inside.
#![deny(warnings)]

use async_trait::async_trait;
use futures::executor::block_on;
use lockutils::{Error, is_locked, synchronized};
use lockutils_ui_tests::Files;
use std::num::ParseIntError;

#[async_trait]
trait Vm {
    #[synchronized("default-{id}")]
    async fn default(&self, id: u32) -> bool {
        let before = is_locked("default-1");
        yield_now().await;
        before && is_locked("default-1") && id == 1
    }

    async fn start(&self, name: &str, mut disks: Vec<u32>) -> Result<u32, ParseIntError>;
    async fn stop(&mut self);
    async fn fail(&self) -> Result<(), Error>;
    async fn create(id: u32) -> bool
    where
        Self: Sized;
}

struct Local {
    id: u32,
}

#[async_trait]
impl Vm for Local {
    #[synchronized(key = (name.parse::<u32>()?, self.id))]
    async fn start(&self, name: &str, mut disks: Vec<u32>) -> Result<u32, ParseIntError> {
        disks.push("3".parse()?);
        assert!(is_locked((1, self.id)));
        yield_now().await;
        assert!(is_locked((1, self.id)));
        Ok(disks.len() as u32 + name.parse::<u32>()?)
    }

    #[synchronized(key = self.id)]
    async fn stop(&mut self) {
        assert!(is_locked(self.id));
        self.id += 1;
    }

    #[synchronized(key = self.id, locks = Files)]
    async fn fail(&self) -> Result<(), Error> {
        unreachable!("the space fails")
    }

    #[synchronized(key = id)]
    async fn create(id: u32) -> bool {
        is_locked(id)
    }
}

#[async_trait(?Send)]
trait NotSend {
    #[synchronized("not-send")]
    async fn start(&self) -> bool {
        is_locked("not-send")
    }
}

impl NotSend for Local {}

async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        context.waker().wake_by_ref();
        match std::mem::replace(&mut yielded, true) {
            false => std::task::Poll::Pending,
            true => std::task::Poll::Ready(()),
        }
    })
    .await;
}

fn main() {
    let mut vm = Local { id: 7 };
    block_on(async {
        assert!(vm.default(1).await);
        assert_eq!(Vm::start(&vm, "1", vec![1]).await, Ok(3));
        assert!(Vm::start(&vm, "x", vec![1]).await.is_err());
        vm.stop().await;
        assert_eq!(vm.id, 8);
        assert!(vm.fail().await.is_err());
        assert!(Local::create(1).await);
        assert!(NotSend::start(&vm).await);
    });
}
