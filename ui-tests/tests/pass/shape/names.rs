//! Raw, non-ASCII and shadowing names, of functions and arguments.
#![deny(warnings)]
#![allow(non_snake_case, non_camel_case_types)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

#[synchronized(key = r#in)]
fn r#type(r#in: u32) -> bool {
    is_locked(r#in)
}

#[synchronized]
fn r#match() -> bool {
    lockutils::snapshot().iter().any(|lock| lock.space.ends_with("::match"))
}

#[synchronized("größe-{schlüssel}")]
async fn größe(schlüssel: &str) -> bool {
    is_locked("größe-ä") && schlüssel == "ä"
}

#[synchronized(key = site)]
fn finish(begin: u32, site: u32, global: u32, core: u32, lockutils: u32) -> bool {
    is_locked(site) && begin + global + core + lockutils == 4
}

/// As long as the key, and in its place.
#[synchronized(key = key)]
fn key(key: u32) -> bool {
    let key = { let key = key; is_locked(key) };
    key
}

fn main() {
    assert!(r#type(7) && r#match() && block_on(größe("ä")));
    assert!(finish(1, 2, 1, 1, 1) && key(7));
}
