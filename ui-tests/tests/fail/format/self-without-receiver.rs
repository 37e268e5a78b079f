use lockutils::synchronized;

pub struct Vm;

impl Vm {
    #[synchronized("vm-{self}")]
    pub fn start() {}
}

fn main() {}
