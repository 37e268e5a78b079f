use lockutils::synchronized;

#[synchronized(key = id, nonblocking, or_else = async |_| false)]
pub async fn start(id: u32) -> bool {
    true
}

fn main() {}
