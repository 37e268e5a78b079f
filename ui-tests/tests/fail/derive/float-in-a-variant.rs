use lockutils::LockKey;

#[derive(LockKey)]
pub enum Event {
    Started(u32),
    Sample { load: f64 },
}

fn main() {}
