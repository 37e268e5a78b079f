use lockutils::synchronized;

#[synchronized("a", locks = lockutils::Locks::new("vms").permits(2))]
fn start() {}

fn main() {}
