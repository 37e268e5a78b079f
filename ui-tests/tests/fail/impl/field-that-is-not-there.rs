use lockutils::synchronized;

pub struct Vm;

#[synchronized(key = self.id)]
impl Vm {
    pub fn start(&self) {}

    pub fn stop(&self) {}
}

fn main() {}
