use lockutils::synchronized;

fn length(id: String) -> usize {
    id.len()
}

#[synchronized(key = length(id))]
fn start(id: String) -> String {
    id
}

fn main() {}
