use lockutils::synchronized;
use lockutils_ui_tests::Files;

#[synchronized("a", locks = Files)]
pub fn start() -> impl Future<Output = u32> {
    async move { 1 }
}

fn main() {}
