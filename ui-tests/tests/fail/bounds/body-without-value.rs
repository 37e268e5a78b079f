use lockutils::synchronized;

#[synchronized("a")]
async fn start() -> u32 {
    start_twice();
}

fn start_twice() {}

fn main() {}
