//! A block's key may have words in it that are arguments of some of its methods, and are none
//! there.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

mod id {
    pub const ALL: u32 = 7;
}

struct Vm {
    id: u32,
}

const fn volume() -> u32 {
    7
}

#[synchronized(key = (self.id, id::ALL, volume(), [1, 2].map(|number| number + 1)[0]))]
impl Vm {
    fn attach(&self, volume: &dyn Fn() -> u32, id: u32, number: u32) -> bool {
        volume() + id + number == 3
    }

    fn is_held(&self) -> bool {
        is_locked((7, 7, 7, 2))
    }
}

#[synchronized("{number}")]
impl Vm {
    fn detach(&self, (number, _): (u32, u32)) -> bool {
        is_locked(number)
    }

    fn reset(&self, number: u32) -> bool {
        is_locked(number)
    }
}

fn main() {
    let vm = Vm { id: 7 };
    assert!(vm.is_held());
    assert!(vm.attach(&|| 0, 1, 2));
    assert!(vm.detach((1, 2)));
    assert!(vm.reset(1));
}
