use lockutils::LockKey;

#[derive(LockKey)]
#[lock_key(crate = lockutils, crate = lockutils)]
pub struct Volume {
    host: String,
}

fn main() {}
