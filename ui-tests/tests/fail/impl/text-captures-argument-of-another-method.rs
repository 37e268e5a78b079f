use lockutils::synchronized;

pub struct Vm;

#[synchronized("vm-{id}")]
impl Vm {
    pub fn start(&self, id: u32) {}

    pub fn stop(&self, number: u32) {}

    pub async fn pause(&self) {}
}

fn main() {}
