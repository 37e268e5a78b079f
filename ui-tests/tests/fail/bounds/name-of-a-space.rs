use lockutils::synchronized;

#[synchronized("a", locks = "vms")]
fn start() {}

fn main() {}
