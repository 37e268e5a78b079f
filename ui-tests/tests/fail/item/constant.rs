use lockutils::synchronized;

#[synchronized]
pub const VMS: fn() = main;

fn main() {}
