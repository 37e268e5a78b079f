use lockutils::synchronized;

pub struct Volume {
    pub id: u32,
}

#[synchronized(key = volume)]
pub fn attach(volume: &Volume) {}

fn main() {}
