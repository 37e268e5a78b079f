use lockutils::synchronized;

pub struct Vm;

#[synchronized("vms")]
impl Vm {
    pub fn start(&self) -> u32 {
        "7"
    }
}

fn main() {}
