use lockutils::synchronized;

#[synchronized("a", ttl = "5s", wait = false, on_error = |_| (), space = 1, path = "/tmp")]
fn start() {}

fn main() {}
