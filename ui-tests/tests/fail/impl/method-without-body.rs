use lockutils::synchronized;

pub struct Vm;

#[synchronized("vms")]
impl Vm {
    pub fn stop(&self) {}

    pub fn start(&self);
}

fn main() {}
