//! A job that is skipped while the last one still runs: `nonblocking` with `or_else`.
//!
//! A timer starts the backup of a volume every hour. Where the last one isn't done by then,
//! waiting for it would only pile up backups; so this one is skipped, and says who was in
//! the way. What `or_else` gives is what the function returns; without it the function
//! would have to return a `Result`.
//!
//! ```text
//! cargo run --example backup
//! ```

use lockutils::synchronized;
use std::sync::mpsc::channel;
use std::thread;

#[derive(Debug, PartialEq)]
enum Backup {
    Done,
    Skipped(String),
}

#[synchronized(
    "backup-{volume}",
    nonblocking,
    or_else = |busy| Backup::Skipped(busy.to_string())
)]
fn back_up(volume: &str, copy: impl FnOnce()) -> Backup {
    copy();
    Backup::Done
}

fn main() {
    let (begun, has_begun) = channel();
    let (end, has_to_end) = channel();
    let slow = move || {
        begun.send(()).expect("somebody waits for it");
        has_to_end.recv().expect("somebody ends it");
    };
    let first = thread::spawn(|| back_up("home", slow));
    has_begun.recv().expect("the first backup begins");

    // An hour later, and the first isn't done.
    let second = back_up("home", || unreachable!("two backups of one volume"));
    let Backup::Skipped(reason) = second else {
        panic!("a backup that ran beside another")
    };
    println!("skipped: {reason}");
    assert!(reason.starts_with("lock \"global/backup-home\" is busy: held by back_up ("));

    // Another volume isn't in the way.
    assert_eq!(back_up("mail", || ()), Backup::Done);

    end.send(()).expect("the first backup waits for it");
    assert_eq!(first.join().expect("the first backup"), Backup::Done);
    assert_eq!(back_up("home", || ()), Backup::Done);
}
