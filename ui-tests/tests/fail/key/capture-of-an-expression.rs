use lockutils::synchronized;

#[synchronized(key = "vm-{vm.id}")]
fn start(id: u32) {}

fn main() {}
