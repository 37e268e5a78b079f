use lockutils::synchronized;

#[synchronized("a")]
fn start() -> u32 {
    "text"
}

fn main() {}
