use lockutils::synchronized;

#[synchronized(key = id, nonblocking = id > 0)]
pub fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
