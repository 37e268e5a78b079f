use lockutils::synchronized;

struct Server;

trait Service {
    type Future;
    fn call(&self) -> Self::Future;
}

impl Service for Server {
    type Future = std::future::Ready<u32>;

    #[synchronized]
    fn call(&self) -> Self::Future {
        std::future::ready(1)
    }
}

fn main() {}
