use lockutils::synchronized as serial;

struct Vm {
    id: u32,
}

#[serial(key = self.id)]
impl Vm {
    #[serial(skip)]
    fn id(&self) -> u32 {
        self.id
    }

    #[serial(key = volume)]
    fn attach(&self, volume: u32) {}
}

fn main() {}
