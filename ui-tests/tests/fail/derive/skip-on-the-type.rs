use lockutils::LockKey;

#[derive(LockKey)]
#[lock_key(skip)]
pub struct Volume {
    host: String,
}

fn main() {}
