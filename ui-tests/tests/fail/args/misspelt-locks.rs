use lockutils::synchronized;

#[synchronized("a", lock = VMS)]
fn start(id: u32) {}

fn main() {}
