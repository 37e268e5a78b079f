use lockutils::synchronized;

#[synchronized("a", crate = "lockutils")]
fn start(id: u32) {}

fn main() {}
