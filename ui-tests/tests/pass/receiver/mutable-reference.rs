//! `&mut self`, of which a borrow is returned.
#![deny(warnings)]

use lockutils::synchronized;

struct Vm {
    id: u32,
    disks: Vec<u32>,
}

impl Vm {
    #[synchronized(key = self.id)]
    fn by_mutable_reference(&mut self) -> &mut u32 {
        &mut self.disks[0]
    }
}

fn main() {
    let mut vm = Vm { id: 7, disks: vec![1, 2] };
    *vm.by_mutable_reference() = 3;
    assert_eq!(vm.disks, [3, 2]);
}
