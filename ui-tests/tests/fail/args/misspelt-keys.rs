use lockutils::synchronized;

#[synchronized(kesy = [id])]
pub fn start(id: u32) {}

fn main() {}
