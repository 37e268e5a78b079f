use lockutils::LockKey;

#[derive(LockKey)]
pub struct Volume {
    host: String,
    #[lock_key(skip)]
    #[lock_key(skip)]
    id: u32,
}

fn main() {}
