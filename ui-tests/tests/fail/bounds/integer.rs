use lockutils::synchronized;
use lockutils_ui_tests::Files;

#[synchronized("a", locks = Files)]
pub fn start() -> u32 {
    1
}

fn main() {}
