//! An iterator that borrows from `self` may be returned.
#![deny(warnings)]

use lockutils::synchronized;

struct Vm {
    disks: Vec<String>,
}

impl Vm {
    #[synchronized("a")]
    fn names(&self) -> impl Iterator<Item = &str> {
        self.disks.iter().map(String::as_str)
    }
}

fn main() {
    let disks = vec!["a".to_owned(), "b".to_owned()];
    let vm = Vm { disks };
    assert_eq!(vm.names().collect::<String>(), "ab");
}
