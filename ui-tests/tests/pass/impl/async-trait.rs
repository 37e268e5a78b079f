//! `#[async_trait]` above the attribute, and below it.
#![deny(warnings)]

use async_trait::async_trait;
use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

#[async_trait]
trait Start {
    async fn start(&self, id: u32) -> bool;
    async fn stop(&mut self, id: u32) -> bool;
    async fn skipped(&self) -> bool;
    fn name(&self) -> bool;
}

struct Above(u32);
struct Below(u32);

#[async_trait]
#[synchronized(key = self.0)]
impl Start for Above {
    async fn start(&self, id: u32) -> bool {
        is_locked(7) && id == 7
    }

    #[synchronized("vm-{id}")]
    async fn stop(&mut self, id: u32) -> bool {
        is_locked("vm-7") && !is_locked(7) && id == 7
    }

    #[synchronized(skip)]
    async fn skipped(&self) -> bool {
        !is_locked(7)
    }

    fn name(&self) -> bool {
        is_locked(7)
    }
}

#[synchronized(key = self.0)]
#[async_trait]
impl Start for Below {
    async fn start(&self, id: u32) -> bool {
        is_locked(7) && id == 7
    }

    #[synchronized("vm-{id}")]
    async fn stop(&mut self, id: u32) -> bool {
        is_locked("vm-7") && !is_locked(7) && id == 7
    }

    #[synchronized(skip)]
    async fn skipped(&self) -> bool {
        !is_locked(7)
    }

    fn name(&self) -> bool {
        is_locked(7)
    }
}

fn main() {
    let services: [&mut dyn Start; 2] = [&mut Above(7), &mut Below(7)];
    for service in services {
        block_on(async {
            assert!(service.start(7).await && service.stop(7).await);
            assert!(service.skipped().await && service.name());
        });
    }
}
