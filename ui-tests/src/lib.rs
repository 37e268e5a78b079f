//! What the compiled cases share.

#![forbid(unsafe_code)]

use lockutils::engine::{Reentry, Space, Terms, Wait};
use lockutils::{Error, Key, LockKey, Site};
use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A lock space whose locks can fail: only that of the key `"free"` can be had.
pub struct Files;

/// A lock that is had at once, or never.
pub struct Answer(Ready<Result<Token, Error>>);

/// A hold of nothing.
pub struct Token;

impl Space for Files {
    type Wait = Answer;

    fn wait(&self, key: &dyn LockKey, terms: Terms, site: Site) -> Answer {
        self.wait_all(vec![Key::new(key)], terms, site)
    }

    fn wait_all(&self, keys: Vec<Key>, _: Terms, _: Site) -> Answer {
        let free = keys.iter().all(|key| key.as_str() == "free");
        Answer(ready(if free {
            Ok(Token)
        } else {
            let _held = lockutils::lock("busy");
            Err(lockutils::try_lock("busy").expect_err("it is held"))
        }))
    }
}

impl Wait for Answer {
    type Held = Token;
    type AsyncHeld = Token;
    type Guard = Token;
    type AsyncGuard = Token;
    type Failure = Error;
    type Timed = Self;
    type Try = Self;

    fn block(self, _: Reentry) -> Result<Token, Error> {
        self.0.into_inner()
    }

    fn block_for(self, reentry: Reentry, _: Duration) -> Result<Token, Error> {
        self.block(reentry)
    }

    fn try_now(self, reentry: Reentry) -> Result<Token, Error> {
        self.block(reentry)
    }

    fn timed(self, _: Duration) -> Self {
        self
    }

    fn try_async(self) -> Self {
        self
    }
}

impl Future for Answer {
    type Output = Result<Token, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}
