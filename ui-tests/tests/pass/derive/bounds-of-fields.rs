//! What is asked for is that the fields are keys, whatever their types are called.
#![deny(warnings)]

use lockutils::{Key, LockKey};
use std::marker::PhantomData;

trait Entity {
    type Id;
    type Zone;
}

/// No key, and neither is what it is a mark of.
struct Vm;

impl Entity for Vm {
    type Id = u32;
    type Zone = &'static str;
}

mod raw {
    use super::{LockKey, PhantomData};

    #[derive(LockKey)]
    pub struct Id<T> {
        pub number: u32,
        #[lock_key(skip)]
        pub of: PhantomData<T>,
    }

    pub const fn id<T>(number: u32) -> Id<T> {
        Id { number, of: PhantomData }
    }
}

/// The associated type has the name of the type.
#[derive(LockKey)]
struct Id<E: Entity>(E::Id);

#[derive(LockKey)]
struct Zone<E: Entity>(<E as Entity>::Zone);

/// So has the module's type.
mod wrapped {
    #[derive(lockutils::LockKey)]
    pub struct Id<T>(pub super::raw::Id<T>);
}

#[derive(LockKey)]
enum Place<E: Entity> {
    Root(E::Id),
    In(Box<Place<E>>, E::Zone),
    Of { place: raw::Id<E>, pair: (E::Id, raw::Id<E>) },
}

#[derive(LockKey)]
enum Tree<T> {
    Leaf(T),
    Other(crate::raw::Id<T>),
    Node(Box<Self>),
    Pair(Box<(Tree<T>, Tree<T>)>),
}

/// What it has a value of isn't what it is a tree of.
#[derive(LockKey)]
enum Marks<T> {
    Leaf(raw::Id<T>),
    Node(Box<Marks<T>>),
}

#[derive(LockKey)]
struct Behind<'a, T>(&'a raw::Id<T>, Box<raw::Id<T>>, &'a &'a mut (u32, raw::Id<T>));

#[derive(LockKey)]
enum Swapped<A, B> {
    Leaf(A),
    Other(Box<Swapped<B, A>>),
}

/// A parameter with the name of a type elsewhere.
mod a {
    #[derive(lockutils::LockKey)]
    pub struct T(pub u32);
}

#[derive(LockKey)]
struct Named<'t, T> {
    first: a::T,
    second: &'t str,
    #[lock_key(skip)]
    of: PhantomData<T>,
}

fn text(key: impl LockKey) -> String {
    Key::new(key).to_string()
}

fn main() {
    assert_eq!(text(Id::<Vm>(7)), "7");
    assert_eq!(text(Zone::<Vm>("a")), "a");
    assert_eq!(text(wrapped::Id(raw::id::<Vm>(7))), "7");
    assert_eq!(text(Place::<Vm>::In(Box::new(Place::Root(7)), "a")), "In/Root%2F7/a");
    let of = Place::<Vm>::Of { place: raw::id(1), pair: (2, raw::id(3)) };
    assert_eq!(text(of), "Of/1/2%2F3");
    let pair = Tree::Pair(Box::new((Tree::Leaf(1), Tree::Other(raw::id(2)))));
    assert_eq!(text(Tree::Node(Box::new(pair))), "Node/Pair%2FLeaf%25252F1%252FOther%25252F2");
    assert_eq!(text(Marks::Node(Box::new(Marks::Leaf(raw::id::<Vm>(7))))), "Node/Leaf%2F7");
    let mut inner = (3, raw::id::<Vm>(4));
    let outer = &&mut inner;
    assert_eq!(text(Behind(&raw::id(1), Box::new(raw::id(2)), outer)), "1/2/3%2F4");
    assert_eq!(text(Swapped::<u32, &str>::Other(Box::new(Swapped::Leaf("a")))), "Other/Leaf%2Fa");
    let named = Named::<Vm> { first: a::T(1), second: "b", of: PhantomData };
    assert_eq!(text(named), "1/b");
}
