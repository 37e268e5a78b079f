//! What a body imports or declares is its own, and neither the key nor the lock sees it.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

mod shadows {
    #[derive(Debug, PartialEq)]
    pub enum Shadow {
        Ok,
        Err,
        Some,
        None,
    }

    pub const KEY: &str = "inner";
}

const KEY: &str = "outer";

#[synchronized(key = KEY)]
fn shadowed() -> bool {
    use shadows::KEY;
    use shadows::Shadow::*;
    [Ok, Err, Some, None].len() == 4 && KEY == "inner" && is_locked("outer")
}

#[synchronized]
async fn shadowed_async() -> bool {
    use shadows::Shadow::{self, *};
    use std::result::Result as core;
    let result: core<Shadow, ()> = core::Ok(Ok);
    result == core::Ok(Ok) && [Err, Some, None].len() == 3
}

#[synchronized(key = { use std::mem::size_of_val; size_of_val(&id) })]
fn import_in_the_key(id: u32) -> bool {
    is_locked(4)
}

#[synchronized("items")]
fn items() -> u32 {
    const SEVEN: u32 = 7;
    static EIGHT: u32 = 8;
    struct Local(u32);
    trait Value {
        fn value(&self) -> u32;
    }
    impl Value for Local {
        fn value(&self) -> u32 {
            self.0
        }
    }
    macro_rules! local {
        ($value:expr) => {
            Local($value)
        };
    }
    mod inner {
        pub fn one() -> u32 {
            1
        }
    }
    fn zero() -> u32 {
        0
    }
    local!(SEVEN).value() + EIGHT + inner::one() + zero()
}

fn main() {
    assert!(shadowed() && block_on(shadowed_async()) && import_in_the_key(1));
    assert_eq!(items(), 16);
}
