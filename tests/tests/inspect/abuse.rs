//! What those can do who mean harm, and those who are many.

use crate::{Client, LONG, Served, again, itself, say, waits};
use lockutils::Locks;
use lockutils::inspect::Keys;
use lockutils_conformance::Process;
use lockutils_tests::{Directory, as_nobody, eventually, skip};
use rustix::process::geteuid;
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

#[test]
fn fifth_client_is_told_that_it_is_busy() {
    let served = Served::new(Keys::Plain);
    let clients: Vec<_> = (0..4).map(|_| served.attach()).collect();
    let mut fifth = served.attach();
    assert_eq!(fifth.hello["error"], "busy: four are looking already");
    assert_eq!(fifth.hear(), None);
    drop(clients);
    eventually("there is room again", || {
        served.attach().hello["error"].is_null()
    });
}

/// Tries to attach as whoever it runs as, and says what it is told.
#[test]
#[ignore = "is run by other tests"]
fn stranger() {
    let path = std::env::var_os("SOCKET").unwrap();
    let mut heard = String::new();
    let stream = UnixStream::connect(path);
    let result = stream.and_then(|mut stream| {
        writeln!(stream, "{{\"get\":\"locks\"}}")?;
        stream.shutdown(Shutdown::Write)?; // That is all, so it is hung up when that is answered.
        stream.read_to_string(&mut heard)
    });
    say(format_args!(
        "heard {heard:?}: {:?}",
        result.map_err(|error| error.kind())
    ));
}

#[test]
fn stranger_is_told_nothing() {
    if !geteuid().is_root() {
        return skip("only root can run programs as somebody else");
    }
    let served = Served::new(Keys::Plain);
    let exe = itself().get_program().to_string_lossy().into_owned();
    let heard = || {
        as_nobody(&exe, |command| {
            command.env("SOCKET", served.server.path());
            again(command, "abuse::stranger").hear_of("heard ")
        })
    };
    assert_eq!(heard(), "\"\": Err(PermissionDenied)");
    // Also if somebody has opened the door.
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    set(&served.directory, 0o755);
    set(served.server.path(), 0o666);
    let heard = heard();
    let hung_up = ["Ok(0)", "Err(ConnectionReset)", "Err(BrokenPipe)"];
    assert!(
        hung_up.iter().any(|end| heard == format!("\"\": {end}")),
        "{heard}"
    );
    assert!(served.attach().hello["pid"].is_number());
}

/// What a process has ever had in memory, in KiB.
fn peak(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

/// Writes until nobody listens any more.
fn write_on(stream: &mut UnixStream, bytes: &[u8], times: usize) -> usize {
    (0..times)
        .take_while(|_| stream.write_all(bytes).is_ok())
        .count()
}

#[test]
fn abuse_costs_the_service_no_memory_and_others_no_service() {
    let directory = Directory::new();
    let mut process = again(&mut itself(), "service");
    let path = directory.join("socket");
    assert_eq!(
        process.ask(&path.to_string_lossy()),
        *path.to_string_lossy()
    );
    let is_well = || {
        eventually("there is room", || {
            let mut client = Client::attach(&path);
            client.hello["pid"].is_number() && client.ask(r#"{"get":"why"}"#)["why"].is_object()
        });
    };
    is_well();
    let before = peak(&process);

    let crowd: Vec<_> = (0..1000).map(|_| UnixStream::connect(&path)).collect();
    assert!(crowd.iter().filter(|stream| stream.is_ok()).count() > 4);
    drop(crowd);
    is_well();

    // What is a gibibyte, it reads 64 KiB of.
    let mut endless = UnixStream::connect(&path).unwrap();
    endless.set_write_timeout(Some(LONG)).unwrap();
    let written = write_on(&mut endless, &vec![b'x'; 64 * 1024], 16 * 1024);
    assert!(written < 100, "{written}");
    is_well();

    // Never reads: what it asks for fills the socket, and then it is hung up on.
    let mut deaf = UnixStream::connect(&path).unwrap();
    deaf.set_write_timeout(Some(LONG)).unwrap();
    writeln!(deaf, "{{\"watch\":\"why\",\"every_ms\":100}}").unwrap();
    let requests = r#"{"get":"locks"}"#.to_owned() + "\n";
    let written = write_on(&mut deaf, requests.repeat(1000).as_bytes(), 16 * 1024);
    assert!(written < 16 * 1024, "{written}");
    is_well();

    let more = peak(&process) - before;
    assert!(more <= 1024, "{more} KiB");
}

#[test]
fn crowd_of_waiters_has_a_reply_that_is_bounded() {
    let served = Served::new(Keys::Plain);
    let locks = Locks::new("crowd");
    let _guard = locks.key("\u{1}".repeat(100_000)).lock();
    let held: Vec<_> = (0..1000)
        .map(|key| locks.key(format!("{key:05000}")).lock())
        .collect();
    let _one = locks.key("one").lock();
    let waiters: Vec<_> = (0..100_000).map(|_| waits(&locks, "one")).collect();
    let mut client = served.attach();
    let start = Instant::now();
    let why = client.ask(r#"{"get":"why"}"#);
    println!("{:?} for `why` of 100,000 waiters", start.elapsed());
    assert_eq!(why["why"]["waiters"], 100_000);
    assert_eq!(why["why"]["causes"][0]["behind"][0]["more"], 99_999);
    let start = Instant::now();
    let all = client.ask(r#"{"get":"locks","limit":1000000}"#);
    println!("{:?} for `locks`", start.elapsed());
    let first = &all["locks"][0];
    assert_eq!(
        (&first["key"], &first["waiters"]),
        (&"one".into(), &100_000.into())
    );
    let shown = all["locks"].as_array().unwrap().len();
    assert!(shown < 1000 && all["left_off"] == 1002 - shown, "{shown}");
    drop((waiters, held));
}
