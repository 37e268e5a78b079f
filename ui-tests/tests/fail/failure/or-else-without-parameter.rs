use lockutils::synchronized;

#[synchronized(key = id, nonblocking, or_else = || false)]
pub fn start(id: u32) -> bool {
    true
}

fn main() {}
