use lockutils::synchronized;

pub struct Vm {
    id: u32,
}

#[synchronized(key = self.id)]
impl Vm {
    pub fn start(&self) {}

    pub const fn id(&self) -> u32 {
        self.id
    }
}

fn main() {}
