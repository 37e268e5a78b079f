use lockutils::synchronized;

#[synchronized]
pub static VMS: u32 = 1;

fn main() {}
