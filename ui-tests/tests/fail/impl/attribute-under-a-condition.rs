use lockutils::synchronized;

pub struct Vm;

#[synchronized("vms")]
impl Vm {
    #[cfg_attr(unix, synchronized(skip))]
    pub fn start(&self) {}
}

fn main() {}
