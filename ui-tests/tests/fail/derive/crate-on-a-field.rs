use lockutils::LockKey;

#[derive(LockKey)]
pub struct Volume {
    #[lock_key(crate = lockutils)]
    host: String,
}

fn main() {}
