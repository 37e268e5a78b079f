//! Locks of an etcd cluster for `lockutils`.

#![forbid(unsafe_code)]
