//! `#[async_trait]` makes `Box::pin(async move { .. })` of a method, and the lock
//! is taken inside.
#![deny(warnings)]

use async_trait::async_trait;
use futures::executor::block_on;
use lockutils::{Begun, Error, LockKey, Site, Space, is_locked, synchronized};
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

    #[synchronized(key = self.id, locks = Fallible)]
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

/// Never gives a lock.
struct Fallible;

impl Space for Fallible {
    type Guard = ();
    type AsyncGuard = ();
    type Failure = Error;
    type Wait = std::future::Ready<Result<(), Error>>;

    fn begin(&self, key: &dyn LockKey, site: Site) -> Begun<Self> {
        Begun::Wait(self.begin_async(key, site))
    }

    fn block(wait: Self::Wait) -> Result<(), Error> {
        wait.into_inner()
    }

    fn begin_async(&self, key: &dyn LockKey, site: Site) -> Self::Wait {
        std::future::ready(self.try_lock(key, site))
    }

    fn try_lock(&self, _: &dyn LockKey, _: Site) -> Result<(), Error> {
        let _held = lockutils::lock("busy");
        Err(lockutils::try_lock("busy").unwrap_err())
    }
}

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
