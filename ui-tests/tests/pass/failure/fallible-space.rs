//! A space that can fail, in functions whose return type has a place for that.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Error, synchronized};
use lockutils_ui_tests::Files;
use std::future::Future;
use std::pin::Pin;

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

#[synchronized(key = name, locks = Files)]
fn blocking(name: &str, text: &str) -> Result<u32, MyError> {
    Ok(text.parse::<u32>()?)
}

#[synchronized(key = name, locks = &Files)]
async fn alias(name: &str) -> Result2<u32> {
    Ok(1)
}

#[synchronized(key = name, locks = Box::new(Files))]
async fn boxed(name: String) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Ok(())
}

#[synchronized(key = name, locks = Files)]
fn block(name: &'static str) -> impl Future<Output = Result<u32, MyError>> {
    async move { Ok("7".parse()?) }
}

#[synchronized(key = name, locks = Files)]
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
