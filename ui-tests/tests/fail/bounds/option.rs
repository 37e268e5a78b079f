use lockutils::synchronized;
use lockutils_ui_tests::Files;

#[synchronized("a", locks = Files)]
pub fn start() -> Option<&'static str> {
    None
}

fn main() {}
