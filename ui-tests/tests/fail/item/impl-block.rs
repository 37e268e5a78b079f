use lockutils::synchronized;

pub struct Vm;

#[synchronized(key = self.id)]
impl Vm {
    pub fn start(&self) {}
}

fn main() {}
