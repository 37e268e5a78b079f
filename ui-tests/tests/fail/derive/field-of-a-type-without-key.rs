use lockutils::LockKey;

pub struct Host;

#[derive(LockKey)]
pub struct Volume {
    host: Host,
    id: u32,
}

fn main() {}
