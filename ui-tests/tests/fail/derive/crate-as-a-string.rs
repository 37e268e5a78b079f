use lockutils::LockKey;

#[derive(LockKey)]
#[lock_key(crate = "lockutils")]
pub struct Volume {
    host: String,
}

fn main() {}
