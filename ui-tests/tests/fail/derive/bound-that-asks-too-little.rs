use lockutils::LockKey;

#[derive(LockKey)]
#[lock_key(bound = "")]
struct Id<T>(T);

fn main() {}
