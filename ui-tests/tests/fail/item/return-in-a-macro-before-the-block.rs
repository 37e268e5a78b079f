use lockutils::synchronized;

macro_rules! check {
    ($id:expr) => {
        if $id == 0 {
            return Box::pin(std::future::ready(0));
        }
    };
}

#[synchronized("a")]
fn start(id: u32) -> futures::future::BoxFuture<'static, u32> {
    check!(id);
    Box::pin(async move { id })
}

fn main() {}
