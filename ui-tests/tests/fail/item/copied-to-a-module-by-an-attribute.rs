use lockutils::synchronized;
use lockutils_ui_tests_attributes::mock;

pub struct Vm;

#[mock]
impl Vm {
    #[synchronized("a")]
    pub fn start(&self) {}
}

fn main() {}
