use lockutils::synchronized;

#[synchronized(key = id, acquire_timeout = Some(std::time::Duration::ZERO))]
pub async fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
