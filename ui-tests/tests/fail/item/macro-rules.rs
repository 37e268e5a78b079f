use lockutils::synchronized;

#[synchronized]
macro_rules! vm {
    () => {};
}

fn main() {
    vm!();
}
