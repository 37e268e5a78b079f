//! What `#[synchronized]` makes of a function.
//!
//! `annotated::start` has the attribute, and `expanded::start` is written as the
//! attribute writes it. A test of the macro crate keeps the two equal.
//!
//! ```text
//! cargo run --example expanded
//! ```

mod annotated {
    use lockutils::{is_locked, synchronized};

    #[synchronized("vm-{id}")]
    pub(super) fn start(id: u32) -> String {
        let held = is_locked("vm-7");
        format!("vm {id} starts, and its lock is held: {held}")
    }
}

#[expect(
    unused_parens,
    reason = "the attribute puts parentheses around whatever the user wrote"
)]
mod expanded {
    use lockutils::is_locked;

    pub(super) fn start(id: u32) -> String {
        let __begun = ::lockutils::__private::begin_global(
            &(::lockutils::__private::PiecedFormat((
                "vm-",
                ::lockutils::__private::Captured::new(&id).lockutils_lone_piece(),
            ))),
            const { &::lockutils::__private::Function::new("start") },
        );
        let __guard = __begun.lock();
        {
            ({
                let held = is_locked("vm-7");
                format!("vm {id} starts, and its lock is held: {held}")
            })
        }
    }
}

fn main() {
    println!("annotated: {}", annotated::start(7));
    println!("expanded:  {}", expanded::start(7));
    println!("afterwards it is held: {}", lockutils::is_locked("vm-7"));
}
