//! What is returned is coerced to the return type, as without the attribute.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;
use std::error::Error;
use std::fmt::Debug;
use std::rc::Rc;

#[synchronized("a")]
fn boxed_function(double: bool) -> Box<dyn Fn(u32) -> u32> {
    if double {
        return Box::new(|value| value * 2);
    }
    Box::new(|value| value)
}

#[synchronized("a")]
fn pointer() -> fn(u32) -> u32 {
    |value| value + 1
}

#[synchronized("a")]
fn slice(values: &[u32; 3]) -> &[u32] {
    values
}

#[synchronized("a")]
fn deref(text: &String) -> &str {
    text
}

#[synchronized("a")]
fn reborrow(value: &mut u32) -> &u32 {
    value
}

#[synchronized("a")]
fn counted() -> Rc<dyn Debug> {
    Rc::new(7)
}

#[synchronized("a")]
async fn error(text: &str) -> Result<u32, Box<dyn Error + Send + Sync>> {
    match text {
        "" => Err("empty")?,
        _ => Ok(text.parse()?),
    }
}

#[synchronized("a")]
async fn futures() -> Vec<Box<dyn Debug>> {
    vec![Box::new('x'), Box::new("y")]
}

fn main() {
    assert_eq!(boxed_function(true)(2) + boxed_function(false)(2) + pointer()(2), 9);
    assert_eq!(slice(&[1, 2, 3]).len() + deref(&"ab".into()).len(), 5);
    assert_eq!(*reborrow(&mut 7), 7);
    assert_eq!(format!("{:?}", counted()), "7");
    assert_eq!(block_on(error("7")).unwrap(), 7);
    assert_eq!(block_on(error("")).unwrap_err().to_string(), "empty");
    assert_eq!(format!("{:?}", block_on(futures())), "['x', \"y\"]");
}
