use lockutils::LockKey;

#[derive(LockKey)]
#[lock_key(bound = "T: LockKey")]
#[lock_key(bound = "U: LockKey")]
struct Pair<T, U>(T, U);

fn main() {}
