//! The derive names nothing of the prelude, and nothing that the user could mean.
#![no_implicit_prelude]
#![deny(warnings)]
#![forbid(unsafe_code)]

struct KeyWriter;
struct Option;
#[allow(dead_code)]
mod core {}
#[allow(dead_code)]
mod lockutils {}
#[allow(dead_code)]
trait LockKey {
    fn write_key(&self);
    fn as_text(&self);
}

impl LockKey for u32 {
    fn write_key(&self) {}
    fn as_text(&self) {}
}

#[derive(::lockutils::LockKey)]
struct Newtype(u32);

#[derive(::lockutils::LockKey)]
struct Pair {
    __0: u32,
    __out: &'static str,
}

#[derive(::lockutils::LockKey)]
#[allow(non_camel_case_types)]
enum Target {
    None,
    Some(u32),
    __1(u32, u32),
}

#[derive(::lockutils::LockKey)]
#[allow(non_camel_case_types)]
struct Parameter<__T, LockKey>(__T, LockKey);

fn main() {
    let _ = (KeyWriter, Option);
    ::std::assert_eq!(::lockutils::Key::new(Newtype(7)).as_str(), "7");
    ::std::assert_eq!(::lockutils::Key::new(Pair { __0: 1, __out: "b" }).as_str(), "1/b");
    ::std::assert_eq!(::lockutils::Key::new(Target::None).as_str(), "None");
    ::std::assert_eq!(::lockutils::Key::new(Target::Some(1)).as_str(), "Some/1");
    ::std::assert_eq!(::lockutils::Key::new(Target::__1(1, 2)).as_str(), "__1/1/2");
    ::std::assert_eq!(::lockutils::Key::new(Parameter(1, 2)).as_str(), "1/2");
}
