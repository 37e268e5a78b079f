use lockutils::synchronized;

#[synchronized(key = id)]
fn start(id: u32) {
    drop(__guard);
}

fn main() {}
