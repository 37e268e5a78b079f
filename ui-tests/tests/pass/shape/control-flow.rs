//! `return`, `?`, `break` and labels in a body are its own.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::synchronized;
use std::ops::ControlFlow;
use std::task::Poll;

#[synchronized("a")]
fn labels(rows: &[Vec<u32>]) -> u32 {
    let found = 'found: {
        'rows: for row in rows {
            for value in row {
                match value {
                    0 => continue 'rows,
                    9 => break 'rows,
                    8 => return 8,
                    value if value % 2 == 0 => break 'found *value,
                    _ => {}
                }
            }
        }
        1
    };
    found * 10
}

#[synchronized("a")]
fn options(values: &[u32]) -> Option<u32> {
    let first = values.first()?;
    let Some(last) = values.last() else {
        return None;
    };
    first.checked_add(*last)
}

#[synchronized("a")]
fn flow(value: u32) -> ControlFlow<u32, u32> {
    let value = if value > 9 { ControlFlow::Break(value) } else { ControlFlow::Continue(value) }?;
    ControlFlow::Continue(value + 1)
}

#[synchronized("a")]
fn polls(poll: Poll<Result<u32, String>>) -> Poll<Result<u32, String>> {
    let poll = poll?;
    poll.map(|value| Ok(value + 1))
}

#[synchronized("a")]
fn closures(values: &[u32]) -> u32 {
    let first = |limit| {
        for value in values {
            if *value > limit {
                return Some(*value);
            }
        }
        None
    };
    let sum = || Some(first(1)? + first(2)?);
    sum().unwrap_or_else(|| return 7)
}

#[synchronized("a")]
async fn blocks(value: Result<u32, String>) -> Result<u32, String> {
    let inner = async {
        let value = value?;
        if value > 9 {
            return Err("large".to_owned());
        }
        Ok::<_, String>(value)
    };
    let value = inner.await?;
    Ok(loop {
        if value > 1 {
            break value;
        }
        return Ok(0);
    })
}

fn main() {
    assert_eq!(labels(&[vec![0, 2], vec![1, 4]]), 40);
    assert_eq!(labels(&[vec![9, 2]]) + labels(&[vec![8]]), 18);
    assert_eq!(options(&[]), None);
    assert_eq!(options(&[1, 2]), Some(3));
    assert_eq!(flow(10), ControlFlow::Break(10));
    assert_eq!(flow(1), ControlFlow::Continue(2));
    assert_eq!(polls(Poll::Ready(Ok(1))), Poll::Ready(Ok(2)));
    assert_eq!(closures(&[2, 3]) + closures(&[]), 12);
    assert_eq!(block_on(blocks(Ok(2))), Ok(2));
    assert_eq!(block_on(blocks(Ok(0))), Ok(0));
    assert!(block_on(blocks(Ok(10))).is_err() && block_on(blocks(Err(String::new()))).is_err());
}
