use lockutils::LockKey;

#[derive(LockKey)]
struct Id<T>(#[lock_key(bound = "U: LockKey")] T);

fn main() {}
