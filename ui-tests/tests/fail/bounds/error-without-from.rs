use lockutils::synchronized;
use lockutils_ui_tests::Files;

pub struct MyError;

#[synchronized("a", locks = Files)]
pub fn start() -> Result<u32, MyError> {
    Ok(1)
}

fn main() {}
