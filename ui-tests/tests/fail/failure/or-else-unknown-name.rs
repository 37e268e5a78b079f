use lockutils::synchronized;

#[synchronized(key = id, nonblocking, or_else = answer)]
pub fn start(id: u32) -> bool {
    true
}

fn main() {}
