use lockutils::synchronized;

pub struct Vm;

#[synchronized(key = number.to_string())]
impl Vm {
    pub fn start(&self, number: u32) {}

    pub fn stop(&self) {}
}

fn main() {}
