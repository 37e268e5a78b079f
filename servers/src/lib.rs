//! Servers for tests, as processes that a test starts, stops and kills.

#![forbid(unsafe_code)]
