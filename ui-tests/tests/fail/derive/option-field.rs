use lockutils::LockKey;

#[derive(LockKey)]
pub struct Volume(u32, Option<u32>);

fn main() {}
