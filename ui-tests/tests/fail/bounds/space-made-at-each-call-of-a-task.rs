use lockutils::{Error, Locks, synchronized};

#[synchronized("a", locks = &Locks::new("vms"))]
async fn start() -> Result<(), Error> {
    Ok(())
}

fn main() {}
