use lockutils::synchronized;
use lockutils_ui_tests::Files;

#[synchronized("a", locks = Files)]
pub async fn start() -> Result<u32, std::num::ParseIntError> {
    Ok(1)
}

fn main() {}
