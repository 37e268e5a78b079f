use lockutils::synchronized;

#[synchronized(kye = 1)]
const fn start() {}

fn main() {}
