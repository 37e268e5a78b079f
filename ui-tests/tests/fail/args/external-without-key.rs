use lockutils::synchronized;

#[synchronized(external)]
fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
