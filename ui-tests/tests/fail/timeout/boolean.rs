use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = true)]
pub fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
