use lockutils::synchronized;

#[synchronized("vms")]
pub trait Start {
    fn start(&self) {}
}

fn main() {}
