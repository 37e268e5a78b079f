use futures::future::BoxFuture;
use lockutils::synchronized;

pub struct Vm {
    id: u32,
}

#[synchronized(key = self.id)]
impl Vm {
    pub fn start(&self) -> BoxFuture<'static, ()> {
        make(self.id)
    }
}

fn make(id: u32) -> BoxFuture<'static, ()> {
    Box::pin(async move { drop(id) })
}

fn main() {}
