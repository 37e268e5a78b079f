//! An async function may return either of two borrows, and return early.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;

struct Vm {
    disks: Vec<String>,
}

impl Vm {
    #[synchronized("a")]
    async fn longest<'a>(&'a self, other: &'a str) -> &'a str {
        let Some(first) = self.disks.first() else {
            return other;
        };
        if first.len() > other.len() { first } else { other }
    }
}

fn main() {
    let disks = vec!["a".to_owned(), "b".to_owned()];
    let vm = Vm { disks };
    assert_eq!(block_on(vm.longest("bcd")), "bcd");
}
