use lockutils::synchronized;

#[synchronized(key = id, external, external)]
fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
