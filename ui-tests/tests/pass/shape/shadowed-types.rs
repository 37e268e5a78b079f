//! The user's own types of the names that the attribute needs.
#![deny(warnings)]
#![allow(dead_code)]

use futures::executor::block_on;

struct Result;
struct Option;
struct Ok;
struct Err;
struct Some;
struct Vec;
struct String;
struct Locks;
struct Guard;
struct Duration;
trait Space {}
trait Future {}
trait From {}
trait Into {}
mod std {}
mod alloc {}

static VMS: lockutils::Locks = lockutils::Locks::new("vms");

#[lockutils::synchronized]
fn own() -> Option {
    let _ = (Ok, Err, Some, Result);
    Option
}

#[lockutils::synchronized(key = id, locks = VMS)]
fn space(id: u32) -> Ok {
    assert!(VMS.key(id).is_locked());
    Ok
}

#[lockutils::synchronized("{id}")]
async fn task(id: u32) -> bool {
    lockutils::is_locked(id)
}

fn main() {
    let _ = (own(), space(7));
    assert!(block_on(task(7)));
}
