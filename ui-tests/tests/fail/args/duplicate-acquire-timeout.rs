use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = "5s", acquire_timeout = "5s")]
pub fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
