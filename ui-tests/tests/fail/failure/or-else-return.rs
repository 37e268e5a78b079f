use lockutils::synchronized;

#[synchronized("a", nonblocking, or_else = return false)]
pub fn start() -> bool {
    true
}

fn main() {}
