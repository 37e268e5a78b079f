use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = u64::from(id))]
pub fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
