//! Functions that don't return, and bodies of which no end is reached.
#![deny(warnings, unreachable_code, clippy::all)]
#![allow(clippy::infinite_loop)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};
use std::panic::catch_unwind;

#[synchronized("never")]
fn panics() -> ! {
    assert!(is_locked("never"));
    panic!("never")
}

#[synchronized("never")]
fn panics_with_a_type() -> u32 {
    panic!("never")
}

#[synchronized("never")]
async fn panics_in_a_task() -> ! {
    unreachable!()
}

#[synchronized("never")]
fn loops(mut count: u32) -> u32 {
    loop {
        count += 1;
        if count > 9 {
            return count;
        }
    }
}

#[synchronized("never")]
fn returns() -> u32 {
    return 1;
}

#[synchronized("never")]
fn exits(code: Option<i32>) -> u32 {
    match code {
        Some(code) => std::process::exit(code),
        None => 1,
    }
}

#[synchronized("never")]
#[allow(clippy::diverging_sub_expression)]
fn to_be_written(id: u32) -> impl Sized {
    if id > 0 {
        todo!()
    }
    id
}

fn main() {
    assert!(catch_unwind(|| panics()).is_err());
    assert!(catch_unwind(panics_with_a_type).is_err());
    assert!(catch_unwind(|| block_on(panics_in_a_task())).is_err());
    assert_eq!(loops(1) + returns() + exits(None), 12);
    let _ = to_be_written(0);
    assert!(!is_locked("never"));
}
