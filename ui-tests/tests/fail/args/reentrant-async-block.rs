use lockutils::synchronized;

#[synchronized(key = id, reentrant)]
pub fn start(id: u32) -> impl Future<Output = ()> {
    async move {}
}

fn main() {}
