use lockutils::synchronized;

#[synchronized("a", locks = 7)]
fn start() {}

fn main() {}
