use lockutils::synchronized;

pub struct Vm;

#[synchronized(skip)]
impl Vm {
    pub fn start(&self) {}
}

fn main() {}
