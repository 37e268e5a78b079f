//! Blocks that a `macro_rules` makes, and macros in a block.
#![deny(warnings)]

use lockutils::{is_locked, synchronized};

struct Vm(u32);

macro_rules! block {
    ($ty:ty, $key:expr, { $($body:tt)* }) => {
        #[synchronized(key = $key)]
        impl $ty { $($body)* }
    };
}

macro_rules! methods {
    ($ty:ty; $($(#[$attr:meta])* $vis:vis fn $name:ident($receiver:ty) -> $out:ty $body:block)*) => {
        #[synchronized("generated")]
        impl $ty {
            $($(#[$attr])* $vis fn $name(self: $receiver) -> $out $body)*
        }
    };
}

macro_rules! whole {
    ($item:item) => {
        #[synchronized("whole")]
        $item
    };
}

macro_rules! members {
    ($($item:item)*) => {
        #[synchronized("member")]
        impl Vm { $($item)* }
    };
}

macro_rules! constant {
    ($name:ident) => {
        const $name: u32 = 7;
    };
}

block!(Vm, "key", {
    const SEVEN: [u32; 7] = [7; 7];
    constant! { A }
    constant!(B);
    fn block(&self) -> bool {
        is_locked("key") && Self::A == Self::B && Self::SEVEN[0] == 7
    }
});

methods! {
    Vm;
    /// Documented.
    pub fn first(&Self) -> bool { is_locked("generated") }
    fn second(&mut Self) -> bool { is_locked("generated") }
}

whole! {
    impl Vm {
        fn whole(&self) -> bool {
            is_locked("whole")
        }
    }
}

members! {
    const MEMBER: bool = { true };
    pub fn member(&self) -> bool { is_locked("member") && Self::MEMBER }
    fn other_member(&self) -> bool { is_locked("member") }
    #[synchronized(skip)]
    fn skipped(&self) -> bool { !is_locked("member") }
}

fn main() {
    let mut vm = Vm(7);
    assert!(vm.block() && vm.first() && vm.second() && vm.whole());
    assert!(vm.member() && vm.other_member() && vm.skipped() && vm.0 == 7);
}
