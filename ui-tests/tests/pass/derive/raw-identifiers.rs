//! A raw identifier's `r#` is no part of the name.
#![deny(warnings)]

use lockutils::{Key, LockKey};

#[derive(LockKey)]
#[allow(non_camel_case_types)]
enum r#enum {
    r#type,
    r#match { r#in: u32 },
}

#[derive(LockKey)]
#[allow(non_camel_case_types)]
struct r#struct;

#[derive(LockKey)]
struct Fields {
    r#type: u32,
    r#fn: char,
}

fn main() {
    assert_eq!(Key::new(r#enum::r#type).as_str(), "type");
    assert_eq!(Key::new(r#enum::r#match { r#in: 7 }).as_str(), "match/7");
    assert_eq!(Key::new(r#struct).as_str(), "struct");
    assert_eq!(Key::new(Fields { r#type: 7, r#fn: 'f' }).as_str(), "7/f");
}
