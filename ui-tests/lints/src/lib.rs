//! Functions and types that have the attribute or the derive with the feature `lockutils`
//! only, so that the lints of both builds can be compared.

#![allow(dead_code, reason = "only the lints are of interest")]
#![allow(
    clippy::allow_attributes,
    reason = "what is expected here is that a lint fires in both builds"
)]

mod arguments;
#[path = "../../../tests/src/lossy.rs"]
pub mod lossy;

use async_trait::async_trait;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

static VMS: lockutils::Locks = lockutils::Locks::new("vms");

static JOBS: std::sync::LazyLock<lossy::LossyLocks> = std::sync::LazyLock::new(lossy::Lossy::locks);

#[cfg_attr(feature = "lockutils", lockutils::synchronized)]
fn own() {}

#[cfg_attr(
    feature = "lockutils",
    lockutils::synchronized(key = id, locks = JOBS, cancel_on_loss)
)]
async fn cancelled(id: u32, text: &str) -> Result<u32, Box<dyn std::error::Error>> {
    std::future::ready(()).await;
    let number: u32 = text.parse()?;
    if number == 0 {
        return Err("zero".into());
    }
    Ok(number + id)
}

#[cfg_attr(
    feature = "lockutils",
    lockutils::synchronized("job", locks = JOBS, cancel_on_loss, or_else = |error| error.to_string())
)]
async fn cancelled_otherwise(name: String) -> String {
    std::future::ready(()).await;
    name
}

#[cfg_attr(feature = "lockutils", lockutils::synchronized("text"))]
fn one_line() -> u32 {
    1
}

#[expect(clippy::let_and_return)]
#[cfg_attr(feature = "lockutils", lockutils::synchronized("vm-{id}"))]
fn captures(id: u32) -> u32 {
    let next = id + 1;
    next
}

#[expect(clippy::needless_return)]
#[cfg_attr(feature = "lockutils", lockutils::synchronized(key = id, locks = VMS))]
fn in_a_space(id: u32) -> Result<u32, lockutils::Error> {
    drop(VMS.key("other").try_lock()?);
    return Ok(id);
}

#[cfg_attr(
    feature = "lockutils",
    lockutils::synchronized(key = (host, id), acquire_timeout = "5s", or_else = |_| None)
)]
fn with_a_timeout(host: &str, id: u32) -> Option<usize> {
    match host.len() {
        0 => None,
        length => Some(length + id as usize),
    }
}

#[cfg_attr(feature = "lockutils", lockutils::synchronized(keys = ids, nonblocking, shared))]
fn tries(ids: &[u32]) -> Result<u32, Box<dyn std::error::Error>> {
    let sum = ids.iter().sum::<u32>();
    if sum == 0 { Err("none")? } else { Ok(sum) }
}

#[expect(clippy::uninlined_format_args)]
#[cfg_attr(feature = "lockutils", lockutils::synchronized("on condition", when = id > 1))]
fn on_condition(id: u32) -> String {
    format!("{}", id)
}

#[cfg_attr(
    feature = "lockutils",
    lockutils::synchronized("re-entered", reentrant)
)]
fn recursive(depth: u32) -> u32 {
    if depth == 0 {
        0
    } else {
        recursive(depth - 1) + 1
    }
}

#[cfg_attr(feature = "lockutils", lockutils::synchronized("never"))]
fn never() -> ! {
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

#[expect(clippy::unused_unit, clippy::semicolon_if_nothing_returned)]
#[cfg_attr(feature = "lockutils", lockutils::synchronized("unit"))]
fn unit(values: &mut Vec<u32>) -> () {
    values.push(1)
}

#[cfg_attr(feature = "lockutils", lockutils::synchronized("closure"))]
fn closure(add: u32) -> impl Fn(u32) -> u32 {
    move |value| value.wrapping_add(add)
}

#[expect(unsafe_code)]
#[cfg_attr(feature = "lockutils", lockutils::synchronized("unsafe"))]
unsafe fn dangerous<T: Copy>(value: &T, (first, _): (u32, u32)) -> (T, u32) {
    (*value, first)
}

#[cfg_attr(feature = "lockutils", lockutils::synchronized("foreign"))]
extern "C" fn foreign(id: u32) -> bool {
    id == 1 || id == 2
}

#[cfg_attr(feature = "lockutils", lockutils::synchronized)]
async fn own_async() {
    std::future::ready(()).await;
}

#[cfg_attr(feature = "lockutils", lockutils::synchronized(key = id, locks = VMS))]
async fn in_a_space_async(id: u32) -> Result<u32, lockutils::Error> {
    let value = std::future::ready(id).await;
    Ok(value)
}

#[expect(clippy::manual_async_fn)]
#[cfg_attr(feature = "lockutils", lockutils::synchronized("vm-{id}"))]
fn future(id: u32) -> impl Future<Output = u32> {
    async move { id }
}

#[cfg_attr(feature = "lockutils", lockutils::synchronized("pinned"))]
fn pinned<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
    Box::pin(async move { text.len() })
}

#[cfg_attr(feature = "lockutils", derive(lockutils::LockKey))]
struct Vm {
    id: u32,
    host: String,
}

#[cfg_attr(feature = "lockutils", derive(lockutils::LockKey))]
struct Newtype<'a, T>(&'a T);

#[cfg_attr(feature = "lockutils", derive(lockutils::LockKey))]
enum Target<T: Clone> {
    Everything,
    Host(String),
    Port { host: T, number: u16 },
}

#[cfg_attr(feature = "lockutils", derive(lockutils::LockKey))]
struct Unit;

#[cfg_attr(feature = "lockutils", derive(lockutils::LockKey))]
enum Never {}

#[cfg_attr(feature = "lockutils", lockutils::synchronized("vms"))]
impl Vm {
    const FIRST: u32 = 1;

    fn new(id: u32) -> Self {
        Self {
            id,
            host: String::new(),
        }
    }

    fn id(&self) -> u32 {
        self.id
    }

    fn host(&mut self) -> &mut String {
        &mut self.host
    }

    async fn start(&self) -> bool {
        std::future::ready(self.id).await == Self::FIRST
    }
}

impl fmt::Display for Vm {
    #[cfg_attr(feature = "lockutils", lockutils::synchronized("display"))]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)
    }
}

trait Start {
    #[cfg_attr(feature = "lockutils", lockutils::synchronized("provided"))]
    fn provided(&self, names: HashMap<String, u32>) -> usize {
        names.len()
    }
}

#[async_trait]
trait Stop {
    async fn stop(&self, id: u32) -> u32;
}

#[async_trait]
impl Stop for Vm {
    #[cfg_attr(feature = "lockutils", lockutils::synchronized("stop"))]
    async fn stop(&self, id: u32) -> u32 {
        let value = std::future::ready(id).await;
        value.max(self.id)
    }
}
