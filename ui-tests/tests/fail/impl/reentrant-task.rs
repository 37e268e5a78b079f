use lockutils::synchronized;

pub struct Vm {
    id: u32,
}

#[synchronized(key = self.id, reentrant)]
impl Vm {
    pub fn start(&self) {}

    pub async fn stop(&self) {}
}

fn main() {}
