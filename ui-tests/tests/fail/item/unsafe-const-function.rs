use lockutils::synchronized;

#[synchronized("a")]
pub const unsafe extern "C" fn start() {}

fn main() {}
