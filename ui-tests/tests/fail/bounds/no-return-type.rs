use lockutils::{Error, Key, Site, Space, synchronized};
use std::future::Ready;

pub struct Files;

impl Space for Files {
    type Guard = ();
    type AsyncGuard = ();
    type Failure = Error;
    type Acquire = Ready<Result<(), Error>>;

    fn acquire(&self, _: Key, _: Site) -> Result<(), Error> {
        Ok(())
    }

    fn acquire_async(&self, _: Key, _: Site) -> Self::Acquire {
        std::future::ready(Ok(()))
    }

    fn try_acquire(&self, _: Key, _: Site) -> Result<(), Error> {
        Ok(())
    }
}

#[synchronized("a", locks = Files)]
pub fn start() {}

fn main() {}
