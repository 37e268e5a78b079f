//! Failures that the return type has a place for.

use async_trait::async_trait;
use lockutils::{Error, ErrorKind, Locks, synchronized};
use pollster::block_on;
use std::error::Error as StdError;
use std::io;
use std::pin::Pin;

static LOCKS: Locks = Locks::new("attribute failure");

/// As its `Result`, each function gives the lock's error where the lock is busy, and its
/// own where it isn't.
#[derive(Debug, thiserror::Error)]
enum ServiceError {
    #[error("the lock was not taken")]
    Lock(#[from] Error),
    #[error("bad number")]
    Number(#[from] std::num::ParseIntError),
}

type ServiceResult<T> = Result<T, ServiceError>;

#[synchronized("busy", locks = LOCKS, nonblocking)]
fn own_type(text: &str) -> Result<u32, ServiceError> {
    Ok(text.parse::<u32>()?)
}

#[synchronized("busy", locks = LOCKS, nonblocking)]
fn alias(text: &str) -> ServiceResult<u32> {
    Ok(text.parse::<u32>()?)
}

#[synchronized("busy", locks = LOCKS, nonblocking)]
fn opaque(text: &str) -> Result<u32, impl StdError + Send + Sync + 'static + use<>> {
    text.parse::<u32>().map_err(ServiceError::from)
}

#[synchronized("busy", locks = LOCKS, nonblocking)]
fn any(text: &str) -> anyhow::Result<u32> {
    Ok(text.parse::<u32>()?)
}

#[synchronized("busy", locks = LOCKS, nonblocking)]
fn boxed(text: &str) -> Result<u32, Box<dyn StdError + Send + Sync>> {
    Ok(text.parse::<u32>()?)
}

#[synchronized("busy", locks = LOCKS, nonblocking)]
fn input_output(text: &str) -> io::Result<u32> {
    text.parse().map_err(io::Error::other)
}

#[synchronized("busy", locks = LOCKS, nonblocking)]
async fn in_async(text: &str) -> anyhow::Result<u32> {
    Ok(text.parse::<u32>()?)
}

#[synchronized("busy", locks = LOCKS, nonblocking)]
fn in_a_block(text: &str) -> impl Future<Output = Result<u32, ServiceError>> {
    let text = text.trim();
    async move { Ok(text.parse()?) }
}

#[synchronized("busy", locks = LOCKS, nonblocking)]
fn in_a_box(text: &str) -> Pin<Box<dyn Future<Output = anyhow::Result<u32>> + Send + '_>> {
    Box::pin(async move { Ok(text.parse()?) })
}

#[async_trait]
trait Parse {
    async fn parse(&self, text: &str) -> ServiceResult<u32>;
}

struct Parser;

#[async_trait]
impl Parse for Parser {
    #[synchronized("busy", locks = LOCKS, nonblocking)]
    async fn parse(&self, text: &str) -> ServiceResult<u32> {
        Ok(text.parse()?)
    }
}

/// The kind of the lock's error, wherever it is in another.
fn kind(error: &(dyn StdError + 'static)) -> Option<ErrorKind> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return kind(error.get_ref()?);
    }
    match error.downcast_ref::<Error>() {
        Some(error) => Some(error.kind()),
        None => kind(error.source()?),
    }
}

#[test]
fn error_of_the_lock_is_converted_and_never_that_of_the_body() {
    type Run = fn(&'static str) -> Result<u32, Option<ErrorKind>>;
    let functions: [(&str, Run); 10] = [
        ("own type", |text| own_type(text).map_err(|e| kind(&e))),
        ("alias", |text| alias(text).map_err(|e| kind(&e))),
        ("opaque", |text| opaque(text).map_err(|e| kind(&e))),
        ("anyhow", |text| any(text).map_err(|e| kind(&*e))),
        ("boxed", |text| boxed(text).map_err(|e| kind(&*e))),
        ("io", |text| input_output(text).map_err(|e| kind(&e))),
        ("async", |text| {
            block_on(in_async(text)).map_err(|e| kind(&*e))
        }),
        ("block", |text| {
            block_on(in_a_block(text)).map_err(|e| kind(&e))
        }),
        ("box", |text| {
            block_on(in_a_box(text)).map_err(|e| kind(&*e))
        }),
        ("async_trait", |text| {
            block_on(Parser.parse(text)).map_err(|e| kind(&e))
        }),
    ];
    for (name, run) in functions {
        assert_eq!(run("7"), Ok(7), "{name}");
        assert_eq!(run("seven"), Err(None), "{name}");
        let _guard = LOCKS.key("busy").lock();
        assert_eq!(run("seven"), Err(Some(ErrorKind::Busy)), "{name}");
    }
}

#[test]
fn io_error_has_a_kind_of_its_own_for_each() {
    #[synchronized("kinds", locks = LOCKS, acquire_timeout = timeout)]
    fn wait(timeout: std::time::Duration) -> io::Result<()> {
        Ok(())
    }
    #[synchronized("kinds", locks = LOCKS, nonblocking)]
    fn tried() -> io::Result<()> {
        Ok(())
    }
    let guard = LOCKS.key("kinds").lock();
    assert_eq!(tried().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let error = wait(std::time::Duration::MAX).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Deadlock);
    drop(guard);
    let _guard = block_on(LOCKS.key("kinds").lock_async());
    let error = wait(std::time::Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(error.to_string().contains("timed out after"), "{error}");
}
