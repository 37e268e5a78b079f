//! Types that are declared inside of functions, modules and constants.
#![deny(warnings)]

use lockutils::Key;

mod inner {
    pub mod deeper {
        #[derive(lockutils::LockKey)]
        pub struct Id(pub(super) super::super::Outer, u32);

        impl Id {
            pub fn new() -> Self {
                Self(super::super::Outer, 7)
            }
        }
    }
}

#[derive(lockutils::LockKey)]
pub struct Outer;

fn in_a_function() -> String {
    #[derive(lockutils::LockKey)]
    struct Local<'a>(&'a str, u32);
    Key::new(Local("a", 1)).to_string()
}

const IN_A_CONSTANT: fn() -> Key = {
    #[derive(lockutils::LockKey)]
    enum Local {
        A,
    }
    || Key::new(Local::A)
};

fn main() {
    assert_eq!(Key::new(inner::deeper::Id::new()).as_str(), "Outer/7");
    assert_eq!(in_a_function(), "a/1");
    assert_eq!(IN_A_CONSTANT().as_str(), "A");
}
