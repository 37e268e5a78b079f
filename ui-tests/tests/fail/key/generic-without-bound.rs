use lockutils::synchronized;

#[synchronized(key = id)]
fn start<T: std::fmt::Display>(id: T) {}

fn main() {}
