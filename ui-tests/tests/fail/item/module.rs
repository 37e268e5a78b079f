use lockutils::synchronized;

#[synchronized]
mod vm {
    pub fn start() {}
}

fn main() {}
