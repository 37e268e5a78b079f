use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = "1h30min")]
pub fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
