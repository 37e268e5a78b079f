use lockutils::LockKey;

#[derive(LockKey)]
#[repr(C, packed)]
pub struct Header(u8, u32);

fn main() {}
