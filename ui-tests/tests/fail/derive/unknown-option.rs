use lockutils::LockKey;

#[derive(LockKey)]
pub struct Volume {
    #[lock_key(rename = "node")]
    host: String,
}

fn main() {}
