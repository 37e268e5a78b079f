//! A `Result` of a borrow has a place for it.
#![deny(warnings)]

use lockutils::{Error, synchronized};

struct Vm {
    name: String,
}

impl Vm {
    #[synchronized(key = self.name, nonblocking)]
    fn name(&mut self) -> Result<&mut String, Error> {
        Ok(&mut self.name)
    }
}

fn main() {
    let mut vm = Vm { name: "a".to_owned() };
    vm.name().unwrap().push('b');
    assert_eq!(vm.name, "ab");
}
