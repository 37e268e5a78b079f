use lockutils::LockKey;

#[derive(LockKey)]
pub struct Volumes {
    ids: Vec<u32>,
}

fn main() {}
