use lockutils::synchronized;

#[synchronized(key = id, external)]
fn start(id: u32) -> u32 {
    id
}

fn main() {}
