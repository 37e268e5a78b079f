use lockutils::LockKey;

#[derive(LockKey)]
pub struct Volume {
    host: String,
    #[lock_key]
    id: u32,
}

fn main() {}
