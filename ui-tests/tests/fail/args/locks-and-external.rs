use lockutils::synchronized;

#[synchronized(key = id, locks = LOCKS, external)]
fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
