//! The behaviour of `lockutils`, a module a topic.

mod cancellation;
mod conformance;
mod fairness;
mod inspection;
mod memory;
mod nesting;
mod ported;
mod size;
mod space;
mod stress;
mod waker;
