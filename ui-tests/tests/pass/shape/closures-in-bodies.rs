//! Bodies that capture arguments, and arguments that are called.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, synchronized};

#[synchronized(key = name)]
fn captures(name: &str, values: &mut Vec<u32>, owned: String) -> Box<dyn Fn() -> String> {
    let mut push = |value| values.push(value);
    push(1);
    push(2);
    values.retain(|value| *value > 1);
    let name = name.to_owned();
    Box::new(move || format!("{owned}{name}"))
}

#[synchronized(key = make())]
fn calls(make: impl Fn() -> u32, mut count: impl FnMut() -> u32, take: impl FnOnce() -> u32) -> u32 {
    assert!(is_locked(make()));
    count() + count() + take()
}

#[synchronized(key = name)]
async fn tasks(name: String, each: impl AsyncFn(&str) -> usize) -> usize {
    let length = async || each(&name).await;
    length().await + std::thread::scope(|scope| scope.spawn(|| name.len()).join().unwrap())
}

#[synchronized(key = id)]
async fn moved(id: u32, text: String) -> impl FnOnce() -> String {
    move || text
}

fn main() {
    let mut values = vec![];
    assert_eq!(captures("b", &mut values, "a".into())(), "ab");
    assert_eq!(values, [2]);
    let mut counter = 0;
    let count = || {
        counter += 1;
        counter
    };
    assert_eq!(calls(|| 7, count, || 4), 7);
    block_on(async {
        assert_eq!(tasks("ab".into(), async |text: &str| text.len()).await, 4);
        assert_eq!((moved(7, "a".into()).await)(), "a");
    });
}
