use lockutils::LockKey;

#[derive(LockKey)]
#[lock_key(krate = lockutils)]
pub struct Volume {
    host: String,
}

fn main() {}
