use lockutils::LockKey;

#[derive(LockKey)]
enum Id<T> {
    #[lock_key(bound = "T: LockKey")]
    Of(T),
}

fn main() {}
