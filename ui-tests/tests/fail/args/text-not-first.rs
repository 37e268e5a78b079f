use lockutils::synchronized;

#[synchronized(locks = VMS, "a")]
fn start(id: u32) {}

fn main() {}
