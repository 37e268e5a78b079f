//! The behaviour of `lockutils`, a module a topic.

mod conformance;
