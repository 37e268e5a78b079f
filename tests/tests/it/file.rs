//! Lock files.

mod conformance;
