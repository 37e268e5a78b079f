use lockutils::LockKey;

#[derive(LockKey)]
#[lock_key(bounds = "T: LockKey")]
struct Id<T>(T);

fn main() {}
