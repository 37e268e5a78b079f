//! `#[tracing::instrument]` above the attribute, and below it.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};
use std::num::ParseIntError;
use tracing::instrument;

struct Vm(u32);

impl Vm {
    #[instrument(skip(self), fields(vm = self.0))]
    #[synchronized(key = self.0)]
    fn above(&mut self, other: u32) -> &mut u32 {
        assert!(is_locked(7) && other == 1);
        &mut self.0
    }

    #[synchronized(key = self.0)]
    #[instrument(skip_all)]
    fn below(&self, other: u32) -> bool {
        is_locked(7) && other == 1
    }
}

#[instrument(err, ret)]
#[synchronized(key = id)]
async fn above_async(id: &str) -> Result<u32, ParseIntError> {
    assert!(is_locked(id));
    id.parse()
}

#[synchronized(key = id)]
#[tracing::instrument(err(Debug), level = "debug", name = "below")]
async fn below_async(id: &str) -> Result<u32, ParseIntError> {
    assert!(is_locked(id));
    Ok(id.parse::<u32>()? + 1)
}

#[instrument]
#[synchronized(key = id)]
fn future(id: u32) -> impl std::future::Future<Output = bool> {
    async move { is_locked(id) }
}

fn main() {
    let mut vm = Vm(7);
    assert_eq!(*vm.above(1), 7);
    assert!(vm.below(1));
    block_on(async {
        assert_eq!(above_async("7").await, Ok(7));
        assert_eq!(below_async("7").await, Ok(8));
        assert!(below_async("x").await.is_err() && future(7).await);
    });
}
