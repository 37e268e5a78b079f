use lockutils::synchronized;

#[synchronized("migrations", external)]
fn start(id: u32) {}

fn main() {}
