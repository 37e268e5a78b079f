use lockutils::LockKey;

#[derive(LockKey)]
pub struct Load(f32);

fn main() {}
