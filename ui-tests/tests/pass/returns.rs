//! Return types that would not survive a closure around the body.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;
use std::fmt::Display;

struct Vm {
    disks: Vec<String>,
}

impl Vm {
    #[synchronized("a")]
    fn first(&mut self) -> &mut String {
        &mut self.disks[0]
    }

    #[synchronized("a")]
    fn names(&self) -> impl Iterator<Item = &str> {
        self.disks.iter().map(String::as_str)
    }

    #[synchronized("a")]
    async fn longest<'a>(&'a self, other: &'a str) -> &'a str {
        let Some(first) = self.disks.first() else {
            return other;
        };
        if first.len() > other.len() { first } else { other }
    }
}

#[synchronized("a")]
fn never() -> ! {
    std::process::exit(0)
}

#[synchronized("a")]
async fn never_async() -> ! {
    never()
}

#[synchronized("a")]
fn boxed(short: bool) -> Box<dyn Display> {
    if short {
        return Box::new('x');
    }
    Box::new("text")
}

#[synchronized("a")]
async fn boxed_async(short: bool) -> Box<dyn Display> {
    if short {
        return Box::new('x');
    }
    Box::new("text")
}

#[synchronized("a")]
fn converted(value: u8) -> u64 {
    value.into()
}

#[synchronized("a")]
fn collected(text: &str) -> Result<Vec<u32>, std::num::ParseIntError> {
    text.split(',').map(str::parse).collect()
}

#[synchronized("a")]
async fn collected_async(text: &str) -> Result<Vec<u32>, Box<dyn std::error::Error>> {
    let first = text.split(',').next().ok_or("empty")?;
    Ok(vec![first.parse()?])
}

#[synchronized("a")]
fn closure(add: u32) -> impl Fn(u32) -> u32 {
    move |value| value + add
}

#[synchronized("a")]
fn async_closure(add: u32) -> impl AsyncFn(u32) -> u32 {
    async move |value| value + add
}

#[synchronized("a")]
fn closure_with_deduced_lifetimes() -> impl Fn(&str) -> &str {
    |text| &text[1..]
}

#[synchronized("a")]
async fn closure_of_an_async_function() -> impl Fn(&str) -> &str {
    |text| &text[1..]
}

#[synchronized("a")]
fn closure_of_a_future(add: u32) -> impl Fn(u32) -> std::pin::Pin<Box<dyn Future<Output = u32>>> {
    move |value| Box::pin(async move { value + add })
}

#[synchronized("a")]
fn labels(rows: &[&[u32]]) -> Option<u32> {
    'rows: for row in rows {
        for &cell in *row {
            if cell == 0 {
                continue 'rows;
            }
            if cell > 9 {
                break 'rows;
            }
        }
        return row.first().copied();
    }
    None
}

#[synchronized("a")]
fn try_option(values: &[u32]) -> Option<u32> {
    let first = values.first()?;
    Some(first + 1)
}

fn main() {
    let disks = vec!["a".to_owned(), "b".to_owned()];
    let mut vm = Vm { disks };
    vm.first().push('!');
    assert_eq!(vm.names().collect::<String>(), "a!b");
    assert_eq!(boxed(true).to_string() + &boxed(false).to_string(), "xtext");
    assert_eq!(converted(7), 7);
    assert_eq!(collected("1,2"), Ok(vec![1, 2]));
    assert_eq!(closure(1)(2), 3);
    assert_eq!(closure_with_deduced_lifetimes()("ab"), "b");
    assert_eq!(labels(&[&[0], &[5, 1], &[10]]), Some(5));
    assert_eq!(try_option(&[]), None);
    block_on(async {
        assert_eq!(vm.longest("b").await, "a!");
        assert_eq!(boxed_async(true).await.to_string(), "x");
        assert!(collected_async("x").await.is_err());
        assert_eq!(async_closure(1)(2).await, 3);
        assert_eq!(closure_of_a_future(1)(2).await, 3);
        assert_eq!(closure_of_an_async_function().await("ab"), "b");
        drop(never_async());
    });
    never();
}
