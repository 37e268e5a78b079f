use lockutils::{LockKey, synchronized};

#[derive(LockKey)]
pub struct Id<T>(T);

#[synchronized(key = id)]
pub fn start(id: &Id<f64>) {}

fn main() {}
