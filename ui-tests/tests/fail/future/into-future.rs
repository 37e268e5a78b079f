use lockutils::synchronized;
use std::future::{IntoFuture, Ready, ready};

struct Request;

impl IntoFuture for Request {
    type Output = u32;
    type IntoFuture = Ready<u32>;

    #[synchronized("a")]
    fn into_future(self) -> Self::IntoFuture {
        ready(1)
    }
}

fn main() {}
