use lockutils::synchronized;

pub struct Vm {
    id: u32,
}

#[synchronized(key = self.id)]
impl Vm {
    #[synchronized(skip, key = "vm")]
    pub fn start(&self) {}
}

fn main() {}
