use lockutils::LockKey;

#[derive(LockKey)]
pub enum Event {
    Started(u32),
    #[lock_key(skip)]
    Stopped(u32),
}

fn main() {}
