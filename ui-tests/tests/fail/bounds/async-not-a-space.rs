use lockutils::synchronized;

pub struct Vm {
    name: String,
}

impl Vm {
    #[synchronized("a", locks = self.name)]
    pub async fn start(&self) {}
}

fn main() {}
