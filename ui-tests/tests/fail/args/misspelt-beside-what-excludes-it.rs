use lockutils::synchronized;

#[synchronized(key = id, external, lokcs = VMS)]
fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
