use lockutils::LockKey;

#[derive(LockKey)]
#[lock_key()]
pub struct Volume {
    host: String,
}

fn main() {}
