use lockutils::synchronized;

#[synchronized(key = id locks = VMS)]
fn start(id: u32) {}

fn main() {}
