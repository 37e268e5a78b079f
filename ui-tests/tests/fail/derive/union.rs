use lockutils::{LockKey, synchronized};

#[derive(LockKey)]
pub union Either {
    left: u32,
    right: u32,
}

#[synchronized(key = either)]
pub fn start(either: &Either) {}

fn main() {}
