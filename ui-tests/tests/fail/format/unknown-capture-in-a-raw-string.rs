use lockutils::synchronized;

#[synchronized(r#"vm-"{name}""#)]
pub fn start(id: u32) {}

fn main() {}
