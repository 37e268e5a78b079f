//! The arguments need no prelude either.
#![no_implicit_prelude]
#![deny(warnings)]
#![forbid(unsafe_code)]

#[::lockutils::synchronized(keys = [1, 2], nonblocking, or_else = ::core::mem::drop)]
fn keys() {}

#[::lockutils::synchronized("a", acquire_timeout = "5s", when = true)]
async fn timeout() -> ::core::result::Result<(), ::lockutils::Error> {
    ::core::result::Result::Ok(())
}

fn main() {
    keys();
    ::std::assert!(::futures::executor::block_on(timeout()).is_ok());
}
