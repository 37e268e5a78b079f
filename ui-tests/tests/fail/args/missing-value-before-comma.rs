use lockutils::synchronized;

#[synchronized(key = , locks = VMS)]
fn start(id: u32) {}

fn main() {}
