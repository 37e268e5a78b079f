//! What a space must pass: a function is a case, and panics where the space fails it.
//!
//! [`conformance!`](crate::conformance!) makes a test of each, and knows what each needs.

#![expect(
    clippy::missing_panics_doc,
    reason = "a case panics where the space fails it, and nowhere else"
)]

mod across;
mod cancellation;
mod exclusion;
mod key;
mod loss;
mod mode;
mod release;
mod several;
mod timeout;

pub use across::*;
pub use cancellation::*;
pub use exclusion::*;
pub use key::*;
pub use loss::*;
pub use mode::*;
pub use release::*;
pub use several::*;
pub use timeout::*;
