use lockutils::synchronized;

#[synchronized(key = id, nonblocking, or_else = Err("busy"))]
pub fn start(id: u32) -> impl Future<Output = Result<(), &'static str>> {
    async move { Ok(()) }
}

fn main() {}
