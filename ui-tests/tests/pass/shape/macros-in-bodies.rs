//! Bodies and keys that call macros, also some of the names that the attribute uses.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

macro_rules! format_args {
    ($($tokens:tt)*) => {
        7
    };
}

macro_rules! concat {
    ($($tokens:tt)*) => {
        8
    };
}

macro_rules! module_path {
    () => {
        9
    };
}

macro_rules! give {
    ($value:expr) => {
        return $value
    };
}

#[synchronized("vm-{id}")]
fn captures(id: u32) -> bool {
    let _: (u32, u32, u32) = (format_args!("x"), concat!("x"), module_path!());
    is_locked("vm-1") && id == 1
}

#[synchronized]
fn own() -> u32 {
    give!(vec![1, 2].into_iter().sum())
}

#[synchronized(key = format!("{}-{}", id, { line!() > 0 }))]
async fn formatted(id: u32) -> bool {
    assert!(matches!(id, 1..=9), "{id}");
    println!("{id:?}");
    is_locked("1-true")
}

#[synchronized(key = env!("CARGO_PKG_NAME"))]
fn environment() -> bool {
    is_locked(env!("CARGO_PKG_NAME"))
}

fn main() {
    assert!(captures(1) && block_on(formatted(1)) && environment());
    assert_eq!(own(), 3);
}
