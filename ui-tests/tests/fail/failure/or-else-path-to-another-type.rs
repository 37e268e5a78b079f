use lockutils::synchronized;

fn answer(_: lockutils::Error) -> u32 {
    5
}

#[synchronized(key = id, nonblocking, or_else = answer)]
pub fn start(id: u32) -> bool {
    true
}

fn main() {}
