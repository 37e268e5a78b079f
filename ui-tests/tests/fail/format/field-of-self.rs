use lockutils::synchronized;

pub struct Vm {
    pub id: u32,
}

impl Vm {
    #[synchronized("vm-{self.id}")]
    pub fn start(&self) {}
}

fn main() {}
