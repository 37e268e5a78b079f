//! An expression for a duration sees the arguments and `self`.
#![deny(warnings)]

use lockutils::{Error, is_locked, synchronized};
use std::time::Duration;

struct Vm {
    patience: Duration,
}

impl Vm {
    #[synchronized(key = id, acquire_timeout = self.patience * factor)]
    fn start(&self, id: u32, factor: u32) -> Result<bool, Error> {
        Ok(is_locked(id))
    }
}

fn main() {
    let vm = Vm { patience: Duration::from_secs(1) };
    assert!(vm.start(7, 2).unwrap());
}
