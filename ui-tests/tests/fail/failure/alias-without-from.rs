use lockutils::synchronized;

pub type Answer<T> = Result<T, std::fmt::Error>;

#[synchronized(key = id, nonblocking)]
pub fn start(id: u32) -> Answer<u32> {
    Ok(id)
}

fn main() {}
