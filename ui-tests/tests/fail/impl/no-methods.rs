use lockutils::synchronized;

pub struct Vm;

#[synchronized("vms")]
impl Vm {
    pub const FIRST: u32 = 1;

    pub fn new() -> Self {
        Self
    }
}

fn main() {}
