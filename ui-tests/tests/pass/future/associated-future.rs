use lockutils::{is_locked, synchronized};
use std::pin::Pin;

struct Server;

trait Service {
    type Future: Future<Output = bool>;
    fn call(&self, id: u32) -> Self::Future;
}

impl Service for Server {
    type Future = Pin<Box<dyn Future<Output = bool>>>;

    #[synchronized(key = id)]
    fn call(&self, id: u32) -> Self::Future {
        Box::pin(async move { is_locked(id) })
    }
}

fn main() {
    assert!(futures::executor::block_on(Server.call(7)));
}
