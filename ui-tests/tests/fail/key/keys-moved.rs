use lockutils::synchronized;

#[synchronized(keys = ids)]
pub fn start(ids: Vec<u32>) -> usize {
    ids.len()
}

fn main() {}
