use lockutils::{Begun, Error, LockKey, Site, Space, synchronized};
use std::future::Ready;

pub struct Files;

impl Space for Files {
    type Guard = ();
    type AsyncGuard = ();
    type Failure = Error;
    type Wait = Ready<Result<(), Error>>;

    fn begin(&self, _: &dyn LockKey, _: Site) -> Begun<Self> {
        Begun::Held(())
    }

    fn block(_: Self::Wait) -> Result<(), Error> {
        Ok(())
    }

    fn begin_async(&self, _: &dyn LockKey, _: Site) -> Self::Wait {
        std::future::ready(Ok(()))
    }

    fn try_lock(&self, _: &dyn LockKey, _: Site) -> Result<(), Error> {
        Ok(())
    }
}

#[synchronized("a", locks = Files)]
pub fn start() -> ! {
    loop {}
}

fn main() {}
