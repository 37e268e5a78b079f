//! What the kernel tells of a process.

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use std::fs;

/// Which of the fields says how many threads there are.
const THREADS: usize = 17;

/// Whether a process can still do something. One that has ended can't, also if nobody has asked
/// for its status yet.
pub(crate) fn runs(pid: u32) -> bool {
    let Some(id) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    // Also of others' processes, which `/proc` may hide.
    if test_kill_process(id) == Err(Errno::SRCH) {
        return false;
    }
    // The first thread ends alone if the others go on.
    let has_ended =
        |fields: Vec<String>| fields[0] == "Z" && fields.get(THREADS) == Some(&"1".into());
    !stat(pid).is_some_and(has_ended)
}

/// The process that has started it, or that has taken it over.
pub(crate) fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// The id that it has in its own PID namespace, where that is another one than ours, as in a container.
pub(crate) fn id_inside(pid: u32) -> Option<u32> {
    last_id(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// The last of a process's ids, of which there are several where it is in several namespaces.
fn last_id(status: &str) -> Option<u32> {
    let ids = status
        .lines()
        .find_map(|line| line.strip_prefix("NSpid:"))?;
    ids.split_whitespace().skip(1).last()?.parse().ok()
}

/// The user that it runs as. Not the owner of its folder in `/proc`, which can be root's.
pub(crate) fn user(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    let [_, effective] = ids.split_whitespace().take(2).collect::<Vec<_>>()[..] else {
        return None;
    };
    effective.parse().ok()
}

/// The fields after its name, which is in parentheses and may have anything in it.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<_> = fields.split_whitespace().map(str::to_owned).collect();
    (!fields.is_empty()).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{self, Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    #[test]
    fn id_inside_is_that_of_the_innermost_namespace() {
        let status =
            |ids: &str| format!("Name:\tNSpid:\t8 9\nPid:\t4711\nNSpid:\t{ids}\nNSsid:\t5\t1\n");
        for (ids, inside) in [
            ("4711", None),
            ("4711\t7", Some(7)),
            ("4711\t36\t1", Some(1)),
            ("", None),
        ] {
            assert_eq!(last_id(&status(ids)), inside, "{ids}");
        }
        assert_eq!(last_id("Name:\tx\n"), None);
    }

    #[test]
    fn process_that_has_ended_does_nothing_more() {
        assert!(runs(process::id()));
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .spawn()
            .expect("it can be started");
        let pid = child.id();
        assert!(runs(pid));
        drop(child.stdin.take());
        let deadline = Instant::now() + Duration::from_secs(60);
        // Nobody has asked for its status, so it is there.
        while runs(pid) {
            assert!(Instant::now() < deadline, "it ends");
            thread::sleep(Duration::from_millis(1));
        }
        child.wait().expect("it has ended");
        assert!(!runs(pid));
    }
}
