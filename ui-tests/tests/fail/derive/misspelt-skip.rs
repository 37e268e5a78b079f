use lockutils::LockKey;

#[derive(LockKey)]
pub struct Volume {
    host: String,
    #[lock_key(skp)]
    load: f64,
}

fn main() {}
