//! Probes for tracers.
//!
//! A tracer that attaches counts up the words that `readelf -n` calls semaphores, and puts a
//! breakpoint on the probe. Here the words are written as a tracer would; and where there is gdb, it attaches to
//! another test, of waits for a lock file, and says what it was told.

use lockutils::Locks;
use lockutils_tests::{ByHand, Directory, skip};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::process::Command;

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

/// Has gdb print what each probe of a wait tells, and go on.
const TOLD: &str = "\
set pagination off
set language c
break -probe-stap lockutils:wait_begin
commands
silent
printf \"wait_begin %lu %s %s\\n\", $_probe_arg0, (char *)$_probe_arg1, (char *)$_probe_arg2
continue
end
break -probe-stap lockutils:wait_end
commands
silent
printf \"wait_end %lu %s %lu\\n\", $_probe_arg0, (char *)$_probe_arg1, $_probe_arg2
continue
end
run
";

#[test]
fn tracer_is_told_of_a_wait_for_a_lock_file() {
    const WAITS: &str = "outside::thread_that_blocks_in_the_kernel_is_told_of";
    let directory = Directory::new();
    let script = directory.join("script");
    fs::write(&script, TOLD).unwrap();
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-batch", "-x"]).arg(&script).arg("--args");
    let gdb = gdb.arg(env::current_exe().unwrap());
    let output = match gdb.args(["--exact", WAITS, "--test-threads=1"]).output() {
        Ok(output) => output,
        Err(error) => return skip(&format!("no gdb here: {error}")),
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    if errors.contains("Operation not permitted") {
        return skip("gdb may not trace here");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("test result: ok. 1 passed"), "{text}{errors}");
    let told = |probe| {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(probe));
        let told = lines.next().expect("it is told").split_whitespace();
        assert_eq!(lines.next(), None, "{text}");
        told.collect::<Vec<_>>()
    };
    let ([wait, lock, site], [same, outcome, time]) =
        (&told("wait_begin ")[..], &told("wait_end ")[..])
    else {
        panic!("{text}");
    };
    assert!(
        lock.ends_with("/a") && site.contains("outside.rs:"),
        "{text}"
    );
    assert_eq!((same, *outcome), (wait, "acquired"));
    assert!(time.parse::<u64>().unwrap() > 0, "{text}");
}
