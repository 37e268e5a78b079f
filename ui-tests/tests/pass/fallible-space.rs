//! A space that can fail, in functions whose return type has a place for that.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Begun, Error, Key, LockKey, Site, Space, synchronized};
use std::future::{Future, Ready, ready};
use std::pin::Pin;

/// Holds only the key `"free"`.
struct Fallible;

struct Token;

impl Space for Fallible {
    type Guard = Token;
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
        ready(self.try_lock(key, site))
    }

    fn try_lock(&self, key: &dyn LockKey, _: Site) -> Result<Token, Error> {
        if Key::new(key).as_str() == "free" {
            return Ok(Token);
        }
        let _held = lockutils::lock("busy");
        Err(lockutils::try_lock("busy").unwrap_err())
    }
}

#[derive(Debug)]
enum MyError {
    Lock,
    Parse,
}

impl From<Error> for MyError {
    fn from(_: Error) -> Self {
        Self::Lock
    }
}

impl From<std::num::ParseIntError> for MyError {
    fn from(_: std::num::ParseIntError) -> Self {
        Self::Parse
    }
}

type Result2<T> = Result<T, MyError>;

#[synchronized(key = name, locks = Fallible)]
fn blocking(name: &str, text: &str) -> Result<u32, MyError> {
    Ok(text.parse::<u32>()?)
}

#[synchronized(key = name, locks = &Fallible)]
async fn alias(name: &str) -> Result2<u32> {
    Ok(1)
}

#[synchronized(key = name, locks = Box::new(Fallible))]
async fn boxed(name: String) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Ok(())
}

#[synchronized(key = name, locks = Fallible)]
fn block(name: &'static str) -> impl Future<Output = Result<u32, MyError>> {
    async move { Ok("7".parse()?) }
}

#[synchronized(key = name, locks = Fallible)]
fn pinned(name: &str) -> Pin<Box<dyn Future<Output = Result<u32, Error>> + Send + '_>> {
    Box::pin(async move { Ok(3) })
}

fn main() {
    assert_eq!(blocking("free", "1").unwrap(), 1);
    assert!(matches!(blocking("held", "1"), Err(MyError::Lock)));
    assert!(matches!(blocking("free", "x"), Err(MyError::Parse)));
    block_on(async {
        assert_eq!(alias("free").await.unwrap(), 1);
        assert!(alias("held").await.is_err());
        assert!(boxed("held".to_owned()).await.is_err());
        assert_eq!(block("free").await.unwrap(), 7);
        assert!(block("held").await.is_err());
        assert!(pinned("free").await.is_ok() && pinned("held").await.is_err());
    });
}
