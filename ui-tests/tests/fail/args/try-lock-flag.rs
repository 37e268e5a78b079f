use lockutils::synchronized;

#[synchronized("a", try_lock)]
fn start() {}

fn main() {}
