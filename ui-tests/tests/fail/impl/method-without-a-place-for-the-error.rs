use lockutils::{Error, synchronized};

pub struct Vm;

#[synchronized("vms", nonblocking)]
impl Vm {
    pub fn start(&self) -> Result<(), Error> {
        Ok(())
    }

    pub fn id(&self) -> u32 {
        7
    }
}

fn main() {}
