use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = "6000000h")]
pub fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
