use lockutils::synchronized;

#[synchronized("a")]
pub unsafe extern "C" fn start(_: u32, _: ...) {}

fn main() {}
