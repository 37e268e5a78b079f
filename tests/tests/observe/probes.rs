//! Probes for tracers.
//!
//! A tracer that attaches counts up the words that `readelf -n` calls semaphores, and puts a
//! breakpoint on the probe. One attaches where bpftrace is installed and the kernel lets it; else the
//! words are written as a tracer would.

use lockutils::{FileLocks, Locks};
use lockutils_tests::{ByHand, Directory, Process, eventually, in_time, skip};
use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::process::{self, Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A probe, as it is listed.
#[derive(Debug, Default)]
struct Probe {
    name: String,
    /// The address in the file.
    semaphore: u64,
    arguments: usize,
}

/// The probes of this program, in which the library is.
fn probes() -> Vec<Probe> {
    let mut readelf = Command::new("readelf");
    let readelf = readelf.arg("--notes").arg(env::current_exe().unwrap());
    let output = readelf.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let mut probes: Vec<Probe> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line == "Provider: lockutils" {
            probes.push(Probe::default());
        }
        let (Some(probe), Some((name, value))) = (probes.last_mut(), line.split_once(": ")) else {
            continue;
        };
        match name {
            "Name" => value.clone_into(&mut probe.name),
            "Location" => {
                let (_, address) = value.rsplit_once("0x").expect("an address");
                probe.semaphore = u64::from_str_radix(address, 16).unwrap();
            }
            "Arguments" => probe.arguments = value.split_whitespace().count(),
            _ => {}
        }
    }
    probes
}

/// Where the program's file is in memory.
fn loaded_at() -> u64 {
    let program = env::current_exe().unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let first = maps
        .lines()
        .find(|line| line.ends_with(program.to_str().unwrap()));
    let (begin, _) = first.unwrap().split_once('-').unwrap();
    u64::from_str_radix(begin, 16).unwrap()
}

#[test]
fn probes_are_listed_with_three_arguments_each() {
    let mut listed: BTreeMap<String, usize> = BTreeMap::new();
    for probe in probes() {
        let arguments = *listed.entry(probe.name).or_insert(probe.arguments);
        assert_eq!(arguments, probe.arguments);
    }
    let expected = ["release", "wait_begin", "wait_end"];
    assert!(listed.keys().eq(&expected), "{listed:?}");
    assert!(listed.values().all(|count| *count == 3), "{listed:?}");
}

/// One test at a time counts the words up.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn tracer_that_attaches_changes_nothing_but_time() {
    static TRACED: Locks = Locks::new("is traced\0");
    let _alone = alone();
    let memory = fs::OpenOptions::new().write(true).open("/proc/self/mem");
    let (memory, base) = (memory.unwrap(), loaded_at());
    let probes = probes();
    let attach = |count: u16| {
        for probe in &probes {
            let address = base + probe.semaphore;
            memory.write_all_at(&count.to_ne_bytes(), address).unwrap();
        }
    };
    attach(1);
    let guard = TRACED.key("\0key").lock();
    let mut next = ByHand::new(TRACED.key("\0key").lock_async());
    let mut cancelled = ByHand::new(TRACED.key("\0key").lock_async());
    assert!(next.poll().is_pending());
    assert!(cancelled.poll().is_pending());
    drop(cancelled);
    drop(guard);
    assert!(next.poll().is_ready());
    assert!(!TRACED.key("\0key").is_locked());
    attach(0);
}

/// Ended when it is dropped.
struct Tracer(Child);

impl Drop for Tracer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One that says a line for each probe of a wait; none where that can't be.
fn tracer() -> Option<Tracer> {
    let bpftrace = |program: &str| {
        let mut command = Command::new("bpftrace");
        command.args(["-p", &process::id().to_string(), "-e", program]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().ok().map(Tracer)
    };
    let mut allowed = bpftrace("BEGIN { exit(); }")?;
    if !allowed.0.wait().is_ok_and(|status| status.success()) {
        return None;
    }
    let probe = |name: &str, texts: &str| {
        let format = "%d ".to_owned()
            + if name == "wait_begin" {
                "%s %s"
            } else {
                "%s %d"
            };
        let exe = env::current_exe().unwrap();
        let exe = exe.display();
        format!("usdt:{exe}:lockutils:{name} {{ printf(\"{name} {format}\\n\", arg0, {texts}); }} ")
    };
    let begin = probe("wait_begin", "str(arg1), str(arg2)");
    let end = probe("wait_end", "str(arg1), arg2");
    bpftrace(&(begin + &end))
}

#[test]
fn wait_for_another_process_is_seen_by_a_tracer() {
    let _alone = alone();
    let Some(mut tracer) = tracer() else {
        return skip("bpftrace isn't installed, or the kernel doesn't let it");
    };
    let lines = BufReader::new(tracer.0.stdout.take().unwrap()).lines();
    let (memory, base) = (File::open("/proc/self/mem").unwrap(), loaded_at());
    let probes = probes();
    let waits = probes.iter().filter(|probe| probe.name != "release");
    let is_attached = |probe: &Probe| {
        let mut count = [0; 2];
        let address = base + probe.semaphore;
        memory.read_exact_at(&mut count, address).unwrap();
        u16::from_ne_bytes(count) > 0
    };
    eventually("it is attached", || waits.clone().all(is_attached));

    in_time(move || follow(lines.map(Result::unwrap)));
    drop(tracer);
}

/// Waits for another process, and finds that wait among the lines of a tracer.
fn follow(mut lines: impl Iterator<Item = String>) {
    let directory = Directory::new();
    let mut holder = Process::holder(env!("CARGO_BIN_EXE_holder"), &directory);
    holder.ask_for("lock traced", "held");
    let locks = FileLocks::new(&*directory);
    let mut wait = ByHand::new(locks.key("traced").lock_async());
    assert!(wait.poll().is_pending());
    holder.ask_for("release", "released");
    drop(wait.finish().unwrap());

    let lock = format!("{}/traced", directory.display());
    let begin = lines.find(|line| line.contains(&lock)).unwrap();
    let ["wait_begin", number, found, ..] = begin.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{begin}");
    };
    assert_eq!(found, lock);
    assert!(begin.contains("probes.rs:"), "{begin}");
    let ended = format!("wait_end {number} ");
    let end = lines.find(|line| line.starts_with(&ended)).unwrap();
    let nanoseconds = end[ended.len()..].strip_prefix("acquired ").expect(&end);
    assert!(nanoseconds.parse::<u64>().unwrap() > 0);
}
