//! Locks of a PostgreSQL server for `lockutils`.

#![forbid(unsafe_code)]
