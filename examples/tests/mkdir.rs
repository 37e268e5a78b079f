//! The engine of the example `mkdir` passes what every engine must.

#[expect(dead_code, reason = "a test needs no `main`")]
#[path = "../mkdir.rs"]
mod mkdir;
