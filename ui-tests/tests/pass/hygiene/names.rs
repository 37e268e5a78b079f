//! The user's names and the expansion's don't meet.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

#[allow(dead_code)]
mod core {
    pub mod result {}
}

#[allow(dead_code)]
mod std {}

#[allow(non_upper_case_globals, dead_code)]
const guard: u32 = 0;

const OWN: u32 = 5;

#[synchronized(key = (__key, __guard))]
fn same_names(__key: u32, __guard: &str, failure: u32, __acquire: u32) -> bool {
    let locked = is_locked((__key, __guard));
    let __guard = failure + __acquire;
    locked && __guard == 7
}

#[synchronized("{__key}-{__guard}")]
async fn same_names_async(__key: u32, __guard: u32) -> bool {
    is_locked("1-2") && __key + __guard == 3
}

#[synchronized]
fn own(own: u32) -> u32 {
    own + OWN + guard
}

#[synchronized(key = "a", locks = LOCKS)]
fn space(guard_: u32) -> u32 {
    static LOCKS: u32 = 1;
    LOCKS + guard_
}

static LOCKS: lockutils::Locks = lockutils::Locks::new("locks");

#[synchronized("items")]
fn items_of_the_body_shadow_nothing() -> u32 {
    #[allow(non_camel_case_types, dead_code)]
    struct lockutils;
    fn lock() -> u32 {
        7
    }
    lock()
}

#[synchronized(key = SHADOWED)]
fn key_does_not_see_the_body() -> bool {
    const SHADOWED: &str = "body";
    is_locked("outside") && SHADOWED == "body"
}

const SHADOWED: &str = "outside";

mod lockutils_user {
    mod lockutils {}

    #[::lockutils::synchronized(key = id)]
    pub fn shadowed_crate(id: u32) -> bool {
        ::lockutils::is_locked(id)
    }
}

fn main() {
    assert!(same_names(1, "a", 3, 4));
    assert!(block_on(same_names_async(1, 2)));
    assert_eq!(own(1), 6);
    assert_eq!(space(1), 2);
    assert_eq!(items_of_the_body_shadow_nothing(), 7);
    assert!(key_does_not_see_the_body());
    assert!(lockutils_user::shadowed_crate(7));
}
