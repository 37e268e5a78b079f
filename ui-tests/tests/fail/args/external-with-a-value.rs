use lockutils::synchronized;

#[synchronized(key = id, external = true)]
fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
