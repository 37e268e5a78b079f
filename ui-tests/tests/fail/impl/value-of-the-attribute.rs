use lockutils::synchronized;

pub struct Vm;

#[synchronized("vms")]
impl Vm {
    #[synchronized = "vm"]
    pub fn start(&self) {}
}

fn main() {}
