//! Locks of whichever server a URL names, for `lockutils`.

#![forbid(unsafe_code)]
