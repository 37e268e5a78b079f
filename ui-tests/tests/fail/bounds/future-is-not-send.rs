use lockutils::synchronized;

use std::rc::Rc;

#[synchronized("a")]
async fn start() {
    let rc = Rc::new(1);
    std::future::ready(()).await;
    drop(rc);
}

fn assert_send(_: impl Send) {}

fn main() {
    assert_send(start());
}
