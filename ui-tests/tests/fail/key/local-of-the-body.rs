use lockutils::synchronized;

#[synchronized(key = uuid)]
fn start(id: u32) {
    let uuid = id;
    drop(uuid);
}

fn main() {}
