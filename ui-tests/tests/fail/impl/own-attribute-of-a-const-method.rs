use lockutils::synchronized;

pub struct Vm {
    id: u32,
}

#[synchronized(key = self.id)]
impl Vm {
    #[synchronized("id")]
    pub const fn id(&self) -> u32 {
        self.id
    }
}

fn main() {}
