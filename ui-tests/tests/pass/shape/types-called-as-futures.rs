//! A type or trait of one's own may be called as a future or a stream is, in whatever it stands.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};
use std::pin::Pin;

mod events {
    pub struct Stream(pub bool);
    pub struct Future<T>(pub T);
    pub struct BoxFuture;
    pub struct BoxStream<T>(pub T);
    pub struct IntoFuture<'a>(pub &'a str);
    pub trait Priced {
        type Future;
    }
}

use events::{BoxFuture, BoxStream, Future, IntoFuture, Stream};

mod connection {
    pub trait Stream {
        fn is_open(&self) -> bool;
    }
    pub trait Future {
        fn is_far(&self) -> bool;
    }
    impl Stream for bool {
        fn is_open(&self) -> bool {
            *self
        }
    }
    impl Future for bool {
        fn is_far(&self) -> bool {
            *self
        }
    }
}

struct Contract;

impl events::Priced for Contract {
    type Future = u32;
}

impl Contract {
    #[synchronized("names")]
    fn future(&self) -> <Self as events::Priced>::Future {
        u32::from(is_locked("names"))
    }
}

#[synchronized("names")]
fn bare() -> Stream {
    Stream(is_locked("names"))
}

#[synchronized("names")]
async fn bare_in_a_task() -> Stream {
    Stream(is_locked("names"))
}

#[synchronized("names")]
fn boxed() -> Box<Stream> {
    Box::new(Stream(is_locked("names")))
}

#[synchronized("names")]
fn by_reference(stream: &mut Stream) -> &mut Stream {
    stream.0 = is_locked("names");
    stream
}

#[synchronized("names")]
fn inside() -> Result<(Vec<events::Future<bool>>, [BoxFuture; 1]), IntoFuture<'static>> {
    Ok((vec![Future(is_locked("names"))], [BoxFuture]))
}

#[synchronized("names")]
fn generic<T>(value: T) -> Option<BoxStream<Future<T>>> {
    is_locked("names").then_some(BoxStream(Future(value)))
}

#[synchronized("names")]
fn pinned() -> Pin<Box<Stream>> {
    Box::pin(Stream(is_locked("names")))
}

#[synchronized("names")]
fn trait_object() -> Box<dyn connection::Stream> {
    Box::new(is_locked("names"))
}

#[synchronized("names")]
fn some_type() -> impl connection::Stream {
    is_locked("names")
}

#[synchronized("names")]
fn far() -> Result<Box<dyn connection::Future + Send>, ()> {
    Ok(Box::new(is_locked("names")))
}

fn main() {
    use connection::Stream as _;
    let mut stream = Stream(false);
    assert!(bare().0 && boxed().0 && by_reference(&mut stream).0 && pinned().0);
    assert!(futures::executor::block_on(bare_in_a_task()).0);
    assert!(inside().is_ok_and(|(futures, _)| futures[0].0));
    assert!(generic(7).unwrap().0.0 == 7 && Contract.future() == 1);
    assert!(trait_object().is_open() && some_type().is_open());
    assert!(connection::Future::is_far(&*far().unwrap()));
    assert_eq!(IntoFuture("a").0, "a");
}
