//! Functions whose signature, key and body come from different macros.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{Locks, is_locked, synchronized};

static VMS: Locks = Locks::new("vms");

macro_rules! function {
    (
        $(#[$attr:meta])*
        $vis:vis fn $name:ident<$life:lifetime, $param:ident: $bound:path>($arg:ident: $ty:ty) -> $out:ty
        where $bounded:ty: $other:path
        $body:block
    ) => {
        $(#[$attr])*
        $vis fn $name<$life, $param: $bound>($arg: $ty) -> $out
        where
            $bounded: $other,
            $param: $life,
        $body
    };
}

function! {
    /// Documented.
    #[synchronized(key = value)]
    pub fn generic<'a, T: lockutils::LockKey>(value: &'a T) -> &'a T
    where T: Copy
    {
        assert!(is_locked(value));
        value
    }
}

macro_rules! in_space {
    ($name:ident, $locks:expr, $pattern:pat, $ty:ty, $key:expr, $statement:stmt) => {
        #[synchronized(key = $key, locks = $locks)]
        async fn $name($pattern: $ty) -> bool {
            $statement
            $locks.key($key).is_locked()
        }
    };
}

in_space!(space, VMS, (_, _), (u32, u32), 7, let _ = 1);

macro_rules! number {
    ($name:ident, $number:literal, $life:lifetime) => {
        #[synchronized(key = $number)]
        fn $name<$life>(text: &$life str) -> &$life str {
            $life: loop {
                break $life;
            }
            assert!(is_locked($number));
            text
        }
    };
}

number!(number, 7, 'a);

macro_rules! nested {
    ($($key:tt)*) => {
        macro_rules! inner {
            ($name:ident) => {
                #[synchronized($($key)*)]
                fn $name(id: u32) -> bool {
                    is_locked(id)
                }
            };
        }
        inner!(nested);
    };
}

nested!(key = 7);

fn main() {
    assert_eq!(*generic(&7), 7);
    assert!(block_on(space((7, 8))) && nested(7));
    assert_eq!(number("a"), "a");
}
