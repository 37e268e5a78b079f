//! A mutable borrow of `self` may be returned.
#![deny(warnings)]

use lockutils::synchronized;

struct Vm {
    disks: Vec<String>,
}

impl Vm {
    #[synchronized("a")]
    fn first(&mut self) -> &mut String {
        &mut self.disks[0]
    }
}

fn main() {
    let disks = vec!["a".to_owned(), "b".to_owned()];
    let mut vm = Vm { disks };
    vm.first().push('!');
    assert_eq!(vm.disks[0], "a!");
}
