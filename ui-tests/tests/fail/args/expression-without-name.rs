use lockutils::synchronized;

#[synchronized(self.id)]
fn start() {}

fn main() {}
