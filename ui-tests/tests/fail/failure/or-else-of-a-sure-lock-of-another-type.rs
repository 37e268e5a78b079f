use lockutils::synchronized;

#[synchronized(key = id, or_else = |_| 5)]
pub fn start(id: u32) -> bool {
    true
}

fn main() {}
