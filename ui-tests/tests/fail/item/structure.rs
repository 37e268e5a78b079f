use lockutils::synchronized;

#[synchronized]
pub struct Vm {
    id: u32,
}

fn main() {}
