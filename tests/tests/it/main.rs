//! The behaviour of `lockutils`, a module a topic.

#![forbid(unsafe_code)]

mod attribute;
mod cancellation;
mod conformance;
mod deadlock;
mod derive;
mod ending;
mod engine;
mod evaluation;
mod fair;
mod fairness;
#[cfg(target_os = "linux")]
mod file;
mod inspection;
mod keys;
mod leased;
mod memory;
mod model;
mod named;
mod nesting;
mod panics;
mod permits;
mod ported;
mod reentrant;
mod shared;
mod shown;
mod size;
mod space;
mod stress;
mod timeout;
mod uuid;
mod waker;

/// In this crate's edition the temporaries of a block's last expression drop before
/// its locals.
const TEMPORARIES_FIRST: bool = true;
