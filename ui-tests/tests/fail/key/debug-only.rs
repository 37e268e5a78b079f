use lockutils::synchronized;

#[derive(Debug)]
pub struct Vm {
    pub id: u32,
}

#[synchronized(key = vm)]
fn start(vm: &Vm) {}

fn main() {}
