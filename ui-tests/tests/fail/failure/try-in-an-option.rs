use lockutils::synchronized;

#[synchronized(key = id, nonblocking)]
pub fn start(id: u32) -> Option<u32> {
    Some(id)
}

fn main() {}
