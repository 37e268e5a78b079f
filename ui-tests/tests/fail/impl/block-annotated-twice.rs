use lockutils::synchronized;

pub struct Vm;

#[synchronized("vms")]
#[synchronized("vm")]
impl Vm {
    pub fn start(&self) {}
}

fn main() {}
