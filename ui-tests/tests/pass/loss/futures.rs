//! `cancel_on_loss` on blocks, traits, and functions that return a future.
#![deny(warnings)]

use async_trait::async_trait;
use futures::executor::block_on;
use futures::future::BoxFuture;
use lockutils::{Error, ErrorKind, synchronized};
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::cell::Cell;
use std::future::pending;
use std::pin::Pin;
use std::sync::LazyLock;
use std::sync::mpsc::Receiver;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

async fn lose<T>(key: &str) -> T {
    JOBS.engine().lose(key);
    pending().await
}

struct Struct(u32);

#[synchronized(key = self.0, locks = JOBS, cancel_on_loss)]
impl Struct {
    async fn method(&self, is_lost: bool) -> Result<u32, Error> {
        if is_lost {
            lose::<()>("7").await;
        }
        Ok(self.0)
    }

    #[synchronized(key = self.0, locks = JOBS, guard = lease)]
    fn sync_method(&mut self) -> Result<&mut u32, Error> {
        lease.check()?;
        Ok(&mut self.0)
    }

    fn future(&self) -> impl Future<Output = Result<u32, Error>> + '_ {
        async move { Ok(self.0) }
    }

    #[synchronized(skip)]
    fn skipped(&self) -> u32 {
        self.0
    }
}

#[async_trait]
trait Job {
    async fn run(&self, is_lost: bool) -> Result<u32, Error>;
    async fn take(&mut self, text: String) -> Result<String, Error>;
}

struct Above;
struct Below;

#[async_trait]
#[synchronized("trait", locks = JOBS, cancel_on_loss)]
impl Job for Above {
    async fn run(&self, is_lost: bool) -> Result<u32, Error> {
        if is_lost {
            lose::<()>("trait").await;
        }
        Ok(1)
    }

    async fn take(&mut self, text: String) -> Result<String, Error> {
        Ok(text)
    }
}

#[synchronized("trait", locks = JOBS, cancel_on_loss)]
#[async_trait]
impl Job for Below {
    async fn run(&self, is_lost: bool) -> Result<u32, Error> {
        if is_lost {
            return lose("trait").await;
        }
        Ok(2)
    }

    async fn take(&mut self, text: String) -> Result<String, Error> {
        Ok(text)
    }
}

#[synchronized("block", locks = JOBS, cancel_on_loss)]
fn block(text: &str) -> impl Future<Output = Result<u32, Box<dyn std::error::Error>>> + '_ {
    async move {
        if text == "lose" {
            lose::<()>("block").await;
        }
        Ok(text.parse()?)
    }
}

#[synchronized("later", locks = JOBS, acquire_timeout = "5s", cancel_on_loss)]
fn later(text: String) -> BoxFuture<'static, Result<usize, Error>> {
    let length = text.len();
    Box::pin(async move {
        if text == "lose" {
            lose::<()>("later").await;
        }
        Ok(length)
    })
}

#[synchronized(
    "when",
    locks = JOBS,
    when = !text.is_empty(),
    or_else = |error| (error.kind() == ErrorKind::Lost).then_some(7),
    cancel_on_loss
)]
fn later_when(text: &str) -> Pin<Box<dyn Future<Output = Option<u32>> + '_>> {
    let length = text.len();
    Box::pin(async move {
        if length > 3 {
            lose::<()>("when").await;
        }
        text.parse().ok()
    })
}

#[synchronized("or_else", locks = JOBS, or_else = failed, cancel_on_loss)]
fn later_or_else(is_lost: bool) -> BoxFuture<'static, u32> {
    let number = 3;
    Box::pin(async move {
        if is_lost {
            lose::<()>("or_else").await;
        }
        number
    })
}

fn failed(_: Error) -> u32 {
    4
}

#[synchronized("send", locks = JOBS, cancel_on_loss)]
async fn send(cell: Cell<u32>, receiver: Receiver<u32>, boxed: Box<dyn Send>) -> Result<u32, Error> {
    std::future::ready(()).await;
    cell.set(1);
    let _ = (receiver.try_recv(), &boxed);
    std::future::ready(()).await;
    Ok(cell.get())
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

fn assert_lost<T>(result: Result<T, Error>) {
    assert_eq!(result.err().map(|error| error.kind()), Some(ErrorKind::Lost));
}

fn main() {
    block_on(async {
        let mut value = Struct(7);
        assert_eq!(value.method(false).await.unwrap(), 7);
        assert_lost(value.method(true).await);
        assert_eq!(value.future().await.unwrap(), 7);
        assert_eq!(*value.sync_method().unwrap(), 7);
        assert_eq!(value.skipped(), 7);
        assert_eq!(assert_send(Above.run(false)).await.unwrap(), 1);
        assert_lost(Above.run(true).await);
        assert_eq!(Above.take("text".into()).await.unwrap(), "text");
        assert_eq!(assert_send(Below.run(false)).await.unwrap(), 2);
        assert_lost(Below.run(true).await);
        assert_eq!(Below.take("text".into()).await.unwrap(), "text");
        assert_eq!(block("7").await.unwrap(), 7);
        assert!(block("x").await.unwrap_err().is::<std::num::ParseIntError>());
        assert!(block("lose").await.unwrap_err().is::<Error>());
        assert_eq!(later("text".into()).await.unwrap(), 4);
        assert_lost(later("lose".into()).await);
        assert_eq!(later_when("").await, None);
        assert_eq!(later_when("12").await, Some(12));
        assert_eq!(later_when("lose").await, Some(7));
        assert_eq!(later_or_else(false).await, 3);
        assert_eq!(later_or_else(true).await, 4);
        let (_, receiver) = std::sync::mpsc::channel();
        let send = assert_send(send(Cell::new(0), receiver, Box::new(())));
        assert_eq!(send.await.unwrap(), 1);
    });
}
