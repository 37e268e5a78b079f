use lockutils::synchronized;

#[synchronized]
pub trait Vm {
    fn start(&self);
}

fn main() {}
