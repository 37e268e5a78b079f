use lockutils::LockKey;
use std::marker::PhantomData;

#[derive(LockKey)]
struct Ping<T>(Box<Pong<T>>, #[lock_key(skip)] PhantomData<T>);

#[derive(LockKey)]
struct Pong<T>(Box<Ping<T>>, #[lock_key(skip)] PhantomData<T>);

fn use_it(ping: &Ping<u32>) {
    drop(lockutils::lock(ping));
}

fn main() {}
