use lockutils::LockKey;
use std::marker::PhantomData;

#[derive(LockKey)]
pub struct Id(u64, PhantomData<u32>);

fn main() {}
