use std::future::{Future, ready};

fn spawn(_: impl Future + Send) {}

async fn charge() {
    let _guard = lockutils::lock("account");
    ready(()).await;
}

fn main() {
    spawn(charge());
}
