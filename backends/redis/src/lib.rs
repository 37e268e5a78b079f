//! Locks of a Redis or Valkey server for `lockutils`.

#![forbid(unsafe_code)]
