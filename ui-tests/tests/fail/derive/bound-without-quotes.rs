use lockutils::LockKey;

#[derive(LockKey)]
#[lock_key(bound = T: LockKey)]
struct Id<T>(T);

fn main() {}
