use lockutils::synchronized;

pub struct Vm;

#[synchronized(key = id)]
impl Vm {
    pub fn start(&self, id: u32) {}

    pub fn stop(&self) {}
}

fn main() {}
