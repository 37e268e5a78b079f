use lockutils::synchronized;

struct Vm {
    host: String,
    id: u32,
}

#[synchronized(key = vm.host, vm.id)]
fn start(vm: &Vm) {}

fn main() {}
