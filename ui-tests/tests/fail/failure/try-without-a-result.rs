use lockutils::synchronized;

#[synchronized(key = id, nonblocking)]
pub fn start(id: u32) -> bool {
    true
}

fn main() {}
