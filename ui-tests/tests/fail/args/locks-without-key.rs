use lockutils::synchronized;

#[synchronized(locks = VMS)]
fn start(id: u32) {}

fn main() {}
