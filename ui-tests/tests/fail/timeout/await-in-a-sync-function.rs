use lockutils::synchronized;

async fn timeout() -> std::time::Duration {
    std::time::Duration::ZERO
}

#[synchronized(key = id, acquire_timeout = timeout().await)]
pub fn start(id: u32) -> Result<(), lockutils::Error> {
    Ok(())
}

fn main() {}
