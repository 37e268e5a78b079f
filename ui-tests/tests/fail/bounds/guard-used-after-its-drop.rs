use lockutils::synchronized;

#[synchronized("a", guard = guard)]
pub fn start() {
    drop(guard);
    drop(guard);
}

fn main() {}
