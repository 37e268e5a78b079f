use lockutils::synchronized;

#[synchronized(key = self.id)]
fn start(id: u32) {}

fn main() {}
