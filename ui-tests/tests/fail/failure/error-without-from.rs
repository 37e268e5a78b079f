use lockutils::synchronized;

#[synchronized(key = id, nonblocking)]
pub fn start(id: u32) -> Result<u32, String> {
    Ok(id)
}

fn main() {}
