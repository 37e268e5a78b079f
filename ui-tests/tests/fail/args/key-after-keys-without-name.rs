use lockutils::synchronized;

#[synchronized(keys = [from, to], through)]
fn transfer(from: u32, to: u32, through: u32) {}

fn main() {}
