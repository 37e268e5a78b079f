//! Probes for tracers.
//!
//! A tracer that attaches counts up the words that `readelf -n` calls semaphores, and puts a
//! breakpoint on the probe. Here the words are written as a tracer would; and where the kernel lets
//! bpftrace attach, it is what reads the arguments of a wait for another process.

use lockutils::{ErrorKind, FileLocks, Locks};
use lockutils_conformance::skip;
use lockutils_tests::{ByHand, Directory};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

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

#[test]
fn tracer_that_attaches_changes_nothing_but_time() {
    static TRACED: Locks = Locks::new("is traced\0");
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

/// The directory of the lock file, for the process that waits.
const DIRECTORY: &str = "LOCKUTILS_TEST_PROBES";

#[test]
fn tracer_reads_a_wait_for_the_lock_file_of_another_process() {
    let directory = Directory::new();
    let _guard = FileLocks::new(&*directory).key("a").lock().unwrap();
    let program = env::current_exe().unwrap();
    let program = program.display();
    let script = format!(
        r#"
        usdt:{program}:lockutils:wait_begin {{ printf("%d: %s at %s\n", arg0, str(arg1), str(arg2)); }}
        usdt:{program}:lockutils:wait_end {{ printf("%d: %s, %lld ns\n", arg0, str(arg1), arg2); }}
        "#
    );
    let start = Instant::now();
    let child = format!("{program} --exact --ignored probes::waits_for_a_file");
    let mut bpftrace = Command::new("bpftrace");
    // To a file, since the child writes to the same output, also into the middle of a line.
    let written = Directory::new();
    let output = written.join("traced");
    bpftrace
        .args(["-e", &script, "-c", &child, "-o"])
        .arg(&output);
    match bpftrace.env(DIRECTORY, &*directory).output() {
        Ok(traced) if traced.status.success() => {}
        // Few kernels let it, and those only root.
        Ok(traced) => return skip(&format!("no tracer can attach: {traced:?}")),
        Err(_) => return skip("bpftrace is not installed"),
    }
    let text = fs::read_to_string(&output).unwrap();
    let begin = format!(
        ": {} at tests/tests/observe/probes.rs:",
        directory.join("a").display()
    );
    let line = text.lines().find(|line| line.contains(&begin));
    let (wait, _) = line.and_then(|line| line.split_once(": ")).expect(&text);
    let end = format!("{wait}: timeout, ");
    let end = text.lines().find_map(|line| line.strip_prefix(&end));
    let waited = end.and_then(|end| end.strip_suffix(" ns")).expect(&text);
    let waited = Duration::from_nanos(waited.parse().unwrap());
    assert!(!waited.is_zero() && waited < start.elapsed(), "{text}");
}

/// How long it waits.
const WAIT: Duration = Duration::from_millis(200);

#[test]
#[ignore = "is run by the other test"]
fn waits_for_a_file() {
    let locks = FileLocks::new(env::var(DIRECTORY).unwrap());
    let error = locks.key("a").lock_timeout(WAIT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}
