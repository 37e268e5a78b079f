use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = TIMEOUT)]
pub fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
