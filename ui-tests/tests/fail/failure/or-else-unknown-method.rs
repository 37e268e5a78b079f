use lockutils::synchronized;

#[synchronized(key = id, nonblocking, or_else = |error| error.is_busy())]
pub fn start(id: u32) -> bool {
    true
}

fn main() {}
