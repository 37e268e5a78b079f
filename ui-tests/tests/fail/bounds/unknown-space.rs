use lockutils::synchronized;

#[synchronized("a", locks = VMS)]
fn start() {}

fn main() {}
