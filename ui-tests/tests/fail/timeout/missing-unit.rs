use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = "5")]
pub fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
