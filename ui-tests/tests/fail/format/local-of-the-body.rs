use lockutils::synchronized;

#[synchronized("vm-{name}")]
pub fn start(id: u32) {
    let name = id;
    drop(name);
}

fn main() {}
