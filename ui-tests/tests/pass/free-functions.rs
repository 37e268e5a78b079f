//! Each argument, sync and async.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Locks, is_locked, synchronized};

static VMS: Locks = Locks::new("vms");

#[synchronized]
fn own() -> u32 {
    1
}

#[synchronized()]
fn own_with_parentheses() -> u32 {
    2
}

#[synchronized("text")]
fn text() -> bool {
    is_locked("text")
}

#[synchronized("vm-{id}")]
fn captures(id: u32) -> bool {
    is_locked("vm-7") && id == 7
}

#[synchronized(key = "vm-{id:03}")]
fn captures_by_name(id: u32) -> bool {
    is_locked("vm-007") && id == 7
}

#[synchronized("{{vm}}")]
fn escaped_braces() -> bool {
    is_locked("{vm}")
}

#[synchronized(key = "plain",)]
fn text_by_name() -> bool {
    is_locked("plain")
}

#[synchronized(r#"raw "{id}""#)]
fn raw_text(id: u32) -> bool {
    is_locked("raw \"7\"") && id == 7
}

#[synchronized(key = id)]
fn key(id: u32) -> bool {
    is_locked("7") && id == 7
}

#[synchronized(key = id, locks = VMS)]
fn space(id: u32) -> bool {
    VMS.key(id).is_locked()
}

#[synchronized(locks = VMS, key = (host, id), crate = lockutils)]
fn all(host: &str, id: u32) -> bool {
    VMS.key((host, id)).is_locked()
}

#[synchronized]
async fn own_async() -> u32 {
    3
}

#[synchronized("vm-{id}")]
async fn captures_async(id: u32) -> bool {
    is_locked("vm-8") && id == 8
}

#[synchronized("vm-{id}", locks = VMS)]
async fn space_async(id: u32) -> bool {
    VMS.key("vm-7").is_locked() && id == 7
}

#[synchronized(key = format_args!("{}/{id}", "host"), locks = &&VMS)]
async fn space_by_reference(id: u32) -> bool {
    VMS.key("host/7").is_locked() && id == 7
}

fn main() {
    assert_eq!(own() + own_with_parentheses(), 3);
    assert!(text() && captures(7) && captures_by_name(7) && escaped_braces());
    assert!(text_by_name() && raw_text(7) && key(7) && space(7) && all("a", 7));
    assert!(!is_locked("text") && !is_locked("vm-7"));
    block_on(async {
        assert_eq!(own_async().await, 3);
        assert!(captures_async(8).await && space_async(7).await);
        assert!(space_by_reference(7).await);
    });
}
