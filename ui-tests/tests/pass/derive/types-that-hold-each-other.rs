//! A type may be a part of the key of one that is a part of its own.
#![deny(warnings)]

use lockutils::{Key, LockKey};

#[derive(LockKey)]
enum Folder<T> {
    Root(T),
    Of(Box<File<T>>),
}

#[derive(LockKey)]
enum File<T> {
    Named(T),
    In(Box<Folder<T>>),
}

/// One of the two has no value of the parameter itself.
#[derive(LockKey)]
struct Odd<T>(Even<T>, u32);

#[derive(LockKey)]
enum Even<T> {
    Zero(T),
    Next(Box<Odd<T>>),
}

trait Entity {
    type Id;
}

struct Vm;

impl Entity for Vm {
    type Id = u32;
}

#[derive(LockKey)]
enum Place<'a, E: Entity> {
    Root(E::Id),
    In(&'a Area<'a, E>),
}

#[derive(LockKey)]
enum Area<'a, E: Entity> {
    Whole(<E as Entity>::Id),
    Part { of: &'a Place<'a, E>, number: u32 },
}

/// With no value of the parameter in either, somebody has to say what is needed.
#[derive(LockKey)]
enum Ping<T> {
    End(Mark<T>),
    Then(#[lock_key(bound = "")] Box<Pong<T>>),
}

#[derive(LockKey)]
#[lock_key(bound = "")]
enum Pong<T> {
    End(Mark<T>),
    Then(Box<Ping<T>>),
}

#[derive(LockKey)]
struct Mark<T> {
    number: u32,
    #[lock_key(skip)]
    of: std::marker::PhantomData<T>,
}

fn text(key: impl LockKey) -> String {
    Key::new(key).to_string()
}

fn main() {
    let file = File::In(Box::new(Folder::Of(Box::new(File::Named(7)))));
    assert_eq!(text(file), "In/Of%2FNamed%252F7");
    assert_eq!(text(Folder::Root("a")), "Root/a");
    let odd = Odd(Even::Next(Box::new(Odd(Even::Zero("a"), 1))), 2);
    assert_eq!(text(odd), "Next%2FZero%25252Fa%252F1/2");
    let root = Place::<Vm>::Root(7);
    let area = Area::Part { of: &root, number: 1 };
    assert_eq!(text(Place::In(&area)), "In/Part%2FRoot%252F7%2F1");
    assert_eq!(text(Area::<Vm>::Whole(7)), "Whole/7");
    let mark = || Mark::<Vm> { number: 7, of: std::marker::PhantomData };
    let pong = Pong::Then(Box::new(Ping::Then(Box::new(Pong::End(mark())))));
    assert_eq!(text(pong), "Then/Then%2FEnd%252F7");
    assert_eq!(text(Ping::End(mark())), "End/7");
}
