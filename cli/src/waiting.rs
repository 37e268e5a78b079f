//! The line that says for whom a terminal waits.

use crate::holder;
use crate::time::rounded;
use indicatif::{ProgressBar, ProgressStyle};
use lockutils::Holder;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Waits for locks, and meanwhile shows on standard error for whom, if that is a terminal.
/// Nothing of it is left when the wait is over.
pub(crate) fn shown<T>(
    keys: &[OsString],
    look: impl Fn(&OsString) -> Option<Holder> + Sync,
    wait: impl FnOnce() -> T,
) -> T {
    if !io::stderr().is_terminal() {
        return wait();
    }
    let start = Instant::now();
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        // Without a thread to be had nothing is shown.
        let look = &look;
        let _ = thread::Builder::new().spawn_scoped(scope, move || {
            let style = ProgressStyle::with_template("{wide_msg}").expect("it is a template");
            let line = ProgressBar::new_spinner().with_style(style);
            loop {
                line.set_message(text(keys, look, start.elapsed()));
                line.tick();
                let waited = is_done.recv_timeout(Duration::from_secs(1));
                if waited != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            line.finish_and_clear();
        });
        let result = wait();
        drop(done);
        result
    })
}

fn text(keys: &[OsString], look: impl Fn(&OsString) -> Option<Holder>, waited: Duration) -> String {
    let waited = rounded(waited);
    let in_the_way = |key| Some((key, look(key)?));
    // Those that this process holds already are not in its way.
    let is_other = |(_, holder): &(_, Holder)| holder.pid() != Some(std::process::id());
    match keys.iter().filter_map(in_the_way).find(is_other) {
        Some((key, who)) => format!(
            "waiting for {waited} for lock {key:?}, held by {}",
            holder::text(&who)
        ),
        None => match keys {
            [key] => format!("waiting for {waited} for lock {key:?}"),
            _ => format!("waiting for {waited} for locks {keys:?}"),
        },
    }
}
