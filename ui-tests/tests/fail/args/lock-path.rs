use lockutils::synchronized;

#[synchronized("vm-{id}", lock_path = "/var/lock")]
fn start(id: u32) {}

fn main() {}
