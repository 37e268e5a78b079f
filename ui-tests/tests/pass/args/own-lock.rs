//! Without arguments a function has one lock, whatever its generics and objects.
#![deny(warnings)]

use lockutils::{snapshot, synchronized};

fn own_locks() -> Vec<&'static str> {
    snapshot().into_iter().map(|lock| lock.space).collect()
}

#[synchronized]
fn generic<T>(_value: T) -> Vec<&'static str> {
    own_locks()
}

mod inner {
    pub struct Vm;

    impl Vm {
        #[lockutils::synchronized]
        pub fn start(&self) -> Vec<&'static str> {
            super::own_locks()
        }
    }
}

fn main() {
    assert_eq!(generic(1).len(), 1);
    assert_eq!(generic(1), generic("a"));
    assert!(generic(1)[0].ends_with("::generic"));
    assert!(inner::Vm.start()[0].ends_with("::inner::start"));
}
