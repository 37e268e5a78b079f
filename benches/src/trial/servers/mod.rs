//! Locks of real servers, each beside its own client alone: the round trip that can't be had for less.

mod beside;
pub(super) mod etcd;
pub(super) mod postgres;
pub(super) mod redis;

use beside::now;
use std::io;

/// As a child, takes a lock of a server at one line of the input, and releases it at the next; and
/// says when it had it, and when it began to release it, by a clock that all processes share.
pub(super) fn in_child(way: &str, url: &str) -> Result<(), String> {
    let mut take = match way {
        postgres::OURS => postgres::ours(url),
        postgres::ALONE => postgres::alone(url),
        etcd::OURS => etcd::ours(url),
        redis::OURS => redis::ours(url),
        redis::ALONE => redis::alone(url),
        _ => return Err(format!("there is no child `{way}`")),
    };
    let mut lines = io::stdin().lines();
    while lines.next().is_some() {
        let release = take();
        println!("held {}", now());
        let _ = lines.next();
        let releases = now();
        release();
        println!("released {releases}");
    }
    Ok(())
}
