use lockutils::synchronized;

pub struct Vm {
    id: u32,
}

#[synchronized(kye = self.id)]
impl Vm {
    pub fn start(&self) {}

    #[synchronized(skip)]
    pub fn stop(&self) {}
}

fn main() {}
