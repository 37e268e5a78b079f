use lockutils::synchronized;

#[synchronized(key = id, extrenal)]
fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
