use lockutils::synchronized;

trait Service {
    type Future: Future<Output = u32>;
    fn call(&self) -> Self::Future;
}

struct Outer<S>(S);

impl<S: Service> Outer<S> {
    #[synchronized("a")]
    fn call(&self) -> Option<S::Future> {
        Some(self.0.call())
    }
}

fn main() {}
