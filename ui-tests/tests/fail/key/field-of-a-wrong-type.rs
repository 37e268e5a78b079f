use lockutils::synchronized;

pub struct Vm {
    pub load: f32,
}

#[synchronized(key = vm.load)]
fn start(vm: &Vm) {}

fn main() {}
