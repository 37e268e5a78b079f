use futures::future::LocalBoxFuture;
use lockutils::synchronized;

#[synchronized("a")]
fn first<'a, 'b>(all: [&'a mut LocalBoxFuture<'b, u32>; 2]) -> [&'a mut LocalBoxFuture<'b, u32>; 2] {
    all
}

fn main() {}
