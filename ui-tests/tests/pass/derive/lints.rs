//! No lint fires on what the derive writes, and none has to be allowed.
#![deny(warnings)]
#![deny(deprecated, missing_docs, unreachable_pub)]
#![forbid(
    unused,
    unsafe_code,
    single_use_lifetimes,
    unused_qualifications,
    unused_results,
    unused_lifetimes,
    trivial_casts,
    trivial_bounds,
    elided_lifetimes_in_paths,
    variant_size_differences,
    missing_debug_implementations,
    private_bounds,
    private_interfaces
)]

use lockutils::{Key, LockKey};

#[derive(LockKey, Debug)]
struct Borrowed<'a>(&'a str);

#[derive(LockKey, Debug)]
struct Parenthesised((u32, u32), u32);

#[derive(LockKey, Debug)]
enum Target {
    #[deprecated]
    Old(u32),
    New(#[deprecated] u32),
}

#[derive(LockKey, Debug)]
#[non_exhaustive]
struct Open {
    #[deprecated]
    id: u32,
}

mod private {
    #[derive(Debug, lockutils::LockKey)]
    pub(crate) struct Id<T>(T);

    #[derive(Debug, lockutils::LockKey)]
    pub(crate) struct Outer<T> {
        id: Id<T>,
        other: T,
    }

    pub(crate) fn outer() -> Outer<u32> {
        Outer { id: Id(1), other: 2 }
    }
}

fn main() {
    #[allow(deprecated)]
    let open = Open { id: 7 };
    assert_eq!(Key::new(open).as_str(), "7");
    assert_eq!(Key::new(Borrowed("a")).as_str(), "a");
    assert_eq!(Key::new(Parenthesised((1, 2), 3)).as_str(), "1%2F2/3");
    assert_eq!(Key::new(Target::New(7)).as_str(), "New/7");
    #[allow(deprecated)]
    let old = Target::Old(7);
    assert_eq!(Key::new(old).as_str(), "Old/7");
    assert_eq!(Key::new(private::outer()).as_str(), "1/2");
}
