//! The last field may be unsized.
#![deny(warnings)]

use lockutils::{Key, LockKey};

#[derive(LockKey)]
struct Name(str);

#[derive(LockKey)]
struct Tagged<T: ?Sized> {
    tag: u32,
    value: T,
}

#[derive(LockKey)]
#[allow(dead_code)]
struct TaggedText {
    tag: u32,
    text: str,
}

#[derive(LockKey)]
#[allow(dead_code)]
struct Object<'a, T: LockKey>(u32, dyn Of<T> + Send + 'a);

trait Of<T> {}

impl<T> LockKey for dyn Of<T> + Send + '_ {
    fn write_key(&self, _: &mut lockutils::KeyWriter<'_>) {}
}

fn main() {
    let _: fn(&Name) -> Key = |name| Key::new(name);
    let tagged: &Tagged<dyn LockKey> = &Tagged { tag: 1, value: "a/b" };
    assert_eq!(Key::new(tagged).as_str(), "1/a%2Fb");
}
