use lockutils::LockKey;

#[derive(LockKey)]
#[lock_key(bound = "T")]
struct Id<T>(T);

fn main() {}
