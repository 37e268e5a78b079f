use lockutils::synchronized;

#[synchronized("a", guard = guard)]
pub fn start() {
    std::thread::spawn(move || drop(guard));
}

fn main() {}
