use lockutils::LockKey;

#[derive(LockKey)]
#[lock_key(crate)]
pub struct Volume {
    host: String,
}

fn main() {}
