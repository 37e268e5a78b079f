use lockutils::synchronized;
use lockutils_ui_tests_attributes::extension;

pub struct Vm;

#[extension]
impl Vm {
    #[synchronized("a")]
    fn start(&self) {}
}

fn main() {}
