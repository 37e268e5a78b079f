//! `self`.
#![deny(warnings)]

use lockutils::synchronized;

struct Vm {
    id: u32,
    disks: Vec<u32>,
}

impl Vm {
    #[synchronized(key = self.id)]
    fn by_value(self) -> Vec<u32> {
        self.disks
    }
}

fn main() {
    assert_eq!(Vm { id: 7, disks: vec![1] }.by_value(), [1]);
}
