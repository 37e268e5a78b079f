use lockutils::synchronized;

async fn resolve(name: &str) -> u32 {
    name.len() as u32
}

#[synchronized(key = resolve(name).await)]
fn start(name: &str) -> impl Future<Output = u32> {
    println!("starting");
    async move { 1 }
}

fn main() {}
