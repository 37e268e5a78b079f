//! What the compiled cases share.

use lockutils::{Begun, Error, Key, LockKey, Site, Space};
use std::future::{Ready, ready};

/// A lock space whose locks can fail: only that of the key `"free"` can be had.
pub struct Files;

/// A hold of nothing.
pub struct Token;

impl Space for Files {
    type Guard = Token;
    type Held = Token;
    type AsyncGuard = Token;
    type Failure = Error;
    type Wait = Ready<Result<Token, Error>>;

    fn begin(&self, key: &dyn LockKey, site: Site) -> Begun<Self> {
        Begun::Wait(self.begin_async(key, site))
    }

    fn block(wait: Self::Wait) -> Result<Token, Error> {
        wait.into_inner()
    }

    fn begin_async(&self, key: &dyn LockKey, site: Site) -> Self::Wait {
        ready(self.try_begin(key, site))
    }

    fn try_begin(&self, key: &dyn LockKey, _: Site) -> Result<Token, Error> {
        if Key::new(key).as_str() == "free" {
            return Ok(Token);
        }
        let _held = lockutils::lock("busy");
        Err(lockutils::try_lock("busy").expect_err("it is held"))
    }
}
