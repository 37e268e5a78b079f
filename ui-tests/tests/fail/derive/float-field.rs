use lockutils::LockKey;

#[derive(LockKey)]
pub struct Sample {
    host: String,
    load: f64,
}

fn main() {}
