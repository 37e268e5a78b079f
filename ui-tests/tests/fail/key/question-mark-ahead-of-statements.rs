use lockutils::synchronized;

#[synchronized(key = (1, name.parse::<u32>()?))]
fn start(name: &str) -> impl Future<Output = Result<u32, std::num::ParseIntError>> {
    println!("starting");
    async move { Ok(1) }
}

fn main() {}
