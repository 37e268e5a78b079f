use lockutils::synchronized;

#[synchronized(key = id, locks = VMS, locks = VMS)]
fn start(id: u32) {}

fn main() {}
