use lockutils::LockKey;

#[derive(LockKey)]
#[lock_key(rename = "x", skip)]
pub enum Event {
    Started(#[lock_key(skpi)] u32),
    #[lock_key(crate = lockutils)]
    Stopped(#[lock_key(skip, skip)] u32),
}

fn main() {}
