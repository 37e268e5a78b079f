use lockutils::synchronized;

#[synchronized(key = id, nonblocking())]
pub fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
