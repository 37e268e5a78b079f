use lockutils::synchronized;

#[synchronized("a")]
pub enum Vm {
    Running,
}

fn main() {}
