use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = "99999999999999999999999999999999999999999h")]
pub fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
