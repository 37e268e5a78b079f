//! `cancel_on_loss` on functions of every shape.
#![deny(warnings)]
#![allow(unsafe_code)]

use futures::executor::block_on;
use lockutils::{Error, ErrorKind, synchronized};
use lockutils_ui_tests::{Lossy, LossyLocks};
use std::error;
use std::fmt::Display;
use std::future::pending;
use std::sync::LazyLock;

static JOBS: LazyLock<LossyLocks> = LazyLock::new(Lossy::locks);

/// What a body does whose lock is lost.
async fn lose<T>(key: &str) -> T {
    JOBS.engine().lose(key);
    pending().await
}

#[synchronized("unit", locks = JOBS, cancel_on_loss)]
async fn unit(is_lost: bool) -> Result<(), Error> {
    if is_lost {
        lose::<()>("unit").await;
    }
    Ok(())
}

#[synchronized("job-{id}", locks = *JOBS, acquire_timeout = "5s", cancel_on_loss)]
async fn question_mark(id: u64, text: String) -> Result<u64, Box<dyn error::Error + Send + Sync>> {
    if text == "lose" {
        return Ok(lose(&format!("job-{id}")).await);
    }
    let number: u64 = text.parse()?;
    if number == 0 {
        return Err("it is zero".into());
    }
    Ok(number + id)
}

#[synchronized("boxed", locks = &*JOBS, cancel_on_loss)]
async fn boxed(first: bool) -> Result<Box<dyn Display>, Error> {
    if first {
        return Ok(Box::new(1));
    }
    Ok(Box::new("two"))
}

#[synchronized(key = id, locks = JOBS, cancel_on_loss)]
async fn iterator(id: u64, end: u64) -> Result<impl Iterator<Item = u64>, Error> {
    let start = async { id }.await;
    Ok((start..end).map(move |number| number + id))
}

#[synchronized("borrowed", locks = JOBS, cancel_on_loss)]
async fn borrowed(text: &str) -> Result<&str, Error> {
    Ok(async { text }.await.trim())
}

#[synchronized("named", locks = JOBS, cancel_on_loss)]
async fn named<'a>(one: &'a str, _other: &str) -> Result<&'a str, Error> {
    Ok(one)
}

#[synchronized(keys = [one, other], locks = JOBS, cancel_on_loss, nonblocking)]
async fn several<T: Display>(one: u8, other: u8, value: T) -> Result<String, Error>
where
    T: Clone,
{
    if value.to_string() == "lose" {
        lose::<()>("2").await;
    }
    Ok(value.clone().to_string())
}

#[synchronized("lease", locks = JOBS, guard = lease, cancel_on_loss)]
async fn with_guard(is_lost: bool) -> Result<u64, Error> {
    if is_lost {
        lose::<()>("lease").await;
    }
    lease.check()?;
    let fence = lease.fence();
    lease.release_async().await?;
    assert!(!JOBS.engine().has("lease"));
    Ok(fence.get())
}

#[synchronized("when", locks = JOBS, when = is_locked, cancel_on_loss)]
async fn when(is_locked: bool) -> Result<bool, Error> {
    if is_locked {
        lose::<()>("when").await;
    }
    Ok(JOBS.engine().has("when"))
}

#[synchronized("or_else", locks = JOBS, or_else = |error| (name.clone(), Some(error.kind())), cancel_on_loss)]
async fn or_else(name: String, is_lost: bool) -> (String, Option<ErrorKind>) {
    if is_lost {
        lose::<()>("or_else").await;
    }
    (name.clone(), None)
}

#[synchronized("or_else", locks = JOBS, or_else = |_| {}, cancel_on_loss)]
async fn no_result() {
    lose::<()>("or_else").await;
}

#[synchronized("never", locks = JOBS, or_else = |error| panic!("{error}"), cancel_on_loss)]
async fn never() -> ! {
    loop {
        lose::<()>("never").await;
    }
}

#[synchronized("control", locks = JOBS, cancel_on_loss)]
async fn control_flow(numbers: &[i32]) -> Result<i32, Error> {
    let mut sum = 0;
    'numbers: for number in numbers {
        match number {
            0 => continue,
            1 => break 'numbers,
            2 => return Ok(-1),
            _ => sum += number,
        }
    }
    Ok(sum)
}

#[synchronized("mutable", locks = JOBS, cancel_on_loss)]
async fn mutable(list: &mut Vec<u32>, mut count: u32) -> Result<&mut u32, Error> {
    count += 1;
    list.push(count);
    Ok(list.last_mut().unwrap())
}

#[synchronized("unsafe", locks = JOBS, cancel_on_loss)]
#[allow(clippy::missing_safety_doc)]
async unsafe fn is_unsafe(number: &u32) -> Result<u32, Error> {
    Ok(async { *number }.await)
}

struct Struct {
    name: String,
    locks: LossyLocks,
}

impl Struct {
    #[synchronized(key = self.name, locks = self.locks, cancel_on_loss)]
    async fn by_reference(&self) -> Result<&str, Error> {
        Ok(&self.name)
    }

    #[synchronized(key = self.name, locks = JOBS, cancel_on_loss)]
    async fn by_mutable_reference(&mut self) -> Result<&mut String, Error> {
        self.name.push('!');
        Ok(&mut self.name)
    }

    #[synchronized(key = self.name, locks = self.locks, cancel_on_loss)]
    async fn by_value(self) -> Result<Self, Error> {
        Ok(self)
    }
}

fn assert_lost<T>(result: Result<T, Error>) {
    assert_eq!(result.err().map(|error| error.kind()), Some(ErrorKind::Lost));
}

fn main() {
    block_on(async {
        assert!(unit(false).await.is_ok());
        assert_lost(unit(true).await);
        assert_eq!(question_mark(1, "2".into()).await.unwrap(), 3);
        assert_eq!(question_mark(1, "0".into()).await.unwrap_err().to_string(), "it is zero");
        assert!(question_mark(1, "x".into()).await.is_err());
        let error = question_mark(1, "lose".into()).await.unwrap_err();
        assert_eq!(error.downcast::<Error>().unwrap().key(), Some("job-1"));
        assert_eq!(boxed(true).await.unwrap().to_string(), "1");
        assert_eq!(boxed(false).await.unwrap().to_string(), "two");
        assert_eq!(iterator(1, 4).await.unwrap().sum::<u64>(), 9);
        assert_eq!(borrowed(" text ").await.unwrap(), "text");
        assert_eq!(named("one", "other").await.unwrap(), "one");
        assert_eq!(several(1, 2, 7).await.unwrap(), "7");
        assert_lost(several(1, 2, "lose").await);
        assert!(!JOBS.engine().has("1"));
        assert!(with_guard(false).await.unwrap() > 0);
        assert_lost(with_guard(true).await);
        assert!(!when(false).await.unwrap());
        assert_lost(when(true).await);
        assert_eq!(or_else("name".into(), false).await, ("name".into(), None));
        let lost = Some(ErrorKind::Lost);
        assert_eq!(or_else("name".into(), true).await, ("name".into(), lost));
        no_result().await;
        assert_eq!(control_flow(&[0, 5, 1, 7]).await.unwrap(), 5);
        assert_eq!(control_flow(&[5, 2]).await.unwrap(), -1);
        let mut list = Vec::new();
        *mutable(&mut list, 1).await.unwrap() += 5;
        assert_eq!(list, [7]);
        assert_eq!(unsafe { is_unsafe(&7) }.await.unwrap(), 7);
        let mut value = Struct { name: "name".into(), locks: Lossy::locks() };
        assert_eq!(value.by_reference().await.unwrap(), "name");
        assert_eq!(value.by_mutable_reference().await.unwrap(), "name!");
        assert_eq!(value.by_value().await.unwrap().name, "name!");
    });
    let panic = std::panic::catch_unwind(|| block_on(async { never().await }));
    assert!(panic.is_err());
}
