use lockutils::synchronized;

pub trait Vm {
    #[synchronized("a")]
    fn start(&self) -> u32;
}

fn main() {}
