use lockutils::synchronized;

pub struct Vm;

#[synchronized("vms")]
impl Vm {
    #[synchronized("vm")]
    #[synchronized(skip)]
    pub fn start(&self) {}
}

fn main() {}
