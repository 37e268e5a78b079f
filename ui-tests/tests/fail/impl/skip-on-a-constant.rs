use lockutils::synchronized;

pub struct Vm;

#[synchronized("vms")]
impl Vm {
    #[synchronized(skip)]
    pub const FIRST: u32 = 1;

    pub fn start(&self) {}
}

fn main() {}
