use lockutils::synchronized;

#[synchronized(key = id, nonblocking)]
pub fn start(id: u32) -> impl Future<Output = u32> {
    async move { id }
}

fn main() {}
