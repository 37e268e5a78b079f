use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = "Duration::from_secs(5)")]
pub fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
