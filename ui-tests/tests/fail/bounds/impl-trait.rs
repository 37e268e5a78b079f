use lockutils::synchronized;
use lockutils_ui_tests::Files;

#[synchronized("a", locks = Files)]
pub fn start() -> impl Iterator<Item = u32> {
    0..1
}

fn main() {}
