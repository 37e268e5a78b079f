//! What a test of an engine relies on.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use lockutils_servers::{Etcd, EtcdCluster, PgBouncer, Postgres, Proxy, Redis};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn redis_keeps_its_data_over_a_kill_and_loses_them_when_told() {
    if !Redis::available() {
        return;
    }
    let redis = Redis::with(&["--maxmemory-policy", "noeviction"]);
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{}", redis.port()));
    assert_eq!(say(redis.port(), "SET key value\r\n", 5), "+OK\r\n");
    redis.kill();
    TcpStream::connect((Ipv4Addr::LOCALHOST, redis.port())).expect_err("it is dead");
    redis.restart();
    assert_eq!(say(redis.port(), "STRLEN key\r\n", 4), ":5\r\n");
    redis.restart_empty();
    assert_eq!(say(redis.port(), "STRLEN key\r\n", 4), ":0\r\n");
}

#[test]
fn a_stopped_server_says_nothing_until_it_goes_on() {
    if !Redis::available() {
        return;
    }
    let redis = Redis::start();
    redis.stop();
    let mut client = connect(redis.port());
    client.write_all(b"PING\r\n").unwrap();
    assert!(is_silent(&mut client));
    redis.go_on();
    assert_eq!(hear(&mut client, 7), "+PONG\r\n");
}

#[test]
fn no_server_outlives_a_test_that_dies() {
    const DIES: &str = "LOCKUTILS_TEST_DIES";
    if !Postgres::available() {
        return;
    }
    if std::env::var_os(DIES).is_some() {
        let postgres = Postgres::start();
        let mut client = connect(postgres.port());
        log_in(&mut client);
        // Its children as well.
        postgres.stop();
        eprintln!("{postgres:?}");
        std::process::abort();
    }
    let mut this = Command::new(std::env::current_exe().unwrap());
    this.args([
        "--exact",
        "no_server_outlives_a_test_that_dies",
        "--nocapture",
    ]);
    let dead = this.env(DIES, "yes").output().unwrap();
    assert!(!dead.status.success());
    let said = String::from_utf8(dead.stderr).unwrap();
    let (_, directory) = said.split_once("directory: \"").expect(&said);
    let directory = Path::new(directory.split('"').next().unwrap());
    until(|| (!directory.exists()).then_some(()));
    let runs = |process: PathBuf| {
        let at = fs::read_link(process.join("cwd")).unwrap_or_default();
        at.starts_with(directory)
    };
    // What was killed is there until the kernel comes to it.
    until(|| {
        let mut processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        (!processes.any(|process| runs(process.path()))).then_some(())
    });
}

#[test]
fn postgres_is_there_after_a_crash_and_its_children_are_not() {
    if !Postgres::available() {
        return;
    }
    let postgres = Postgres::with(&["-c", "max_connections=20"]);
    let mut client = connect(postgres.port());
    log_in(&mut client);
    postgres.stop();
    client.write_all(b"Q\0\0\0\x0dSELECT 1\0").unwrap();
    assert!(is_silent(&mut client), "its children are stopped as well");
    postgres.go_on();
    assert_eq!(hear(&mut client, 1), "T");
    postgres.kill();
    client.read_to_end(&mut Vec::new()).ok();
    postgres.restart();
    log_in(&mut connect(postgres.port()));
    postgres.restart_empty();
    log_in(&mut connect(postgres.port()));
}

#[test]
fn a_standby_can_be_promoted() {
    if !Postgres::available() {
        return;
    }
    let primary = Postgres::start();
    let standby = primary.standby();
    let recovering = |expected: &str| {
        let mut client = connect(standby.port());
        log_in(&mut client);
        let query = b"SELECT pg_is_in_recovery()\0";
        let length = u8::try_from(4 + query.len()).unwrap();
        client.write_all(&[b'Q', 0, 0, 0, length]).unwrap();
        client.write_all(query).unwrap();
        // The description of the row, then the row: a letter, its length, one column, its length.
        assert_eq!(
            hear(&mut client, 43 + 1),
            "T\0\0\0*\0\u{1}pg_is_in_recovery\0\0\0\0\0\0\0\0\0\0\u{10}\0\u{1}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\0\0D"
        );
        assert_eq!(hear(&mut client, 11)[10..], *expected);
    };
    recovering("t");
    primary.kill();
    standby.promote();
    recovering("f");
}

#[test]
fn a_pooler_passes_to_its_server() {
    if !Postgres::available() || !PgBouncer::available() {
        return;
    }
    let postgres = Postgres::start();
    let pooler = PgBouncer::to(&postgres, "transaction");
    log_in(&mut connect(pooler.port()));
}

#[test]
fn etcd_answers_after_a_restart() {
    if !Etcd::available() {
        return;
    }
    let etcd = Etcd::start();
    let put = "/v3/kv/put";
    let key = r#"{"key":"aw==","value":"dg=="}"#;
    assert!(post(etcd.port(), put, key).contains(r#""revision":"2""#));
    etcd.restart();
    assert!(post(etcd.port(), "/v3/kv/range", key).contains(r#""count":"1""#));
    etcd.restart_empty();
    assert!(!post(etcd.port(), "/v3/kv/range", key).contains("count"));
}

#[test]
fn another_node_leads_when_the_leader_is_gone() {
    if !Etcd::available() {
        return;
    }
    let cluster = EtcdCluster::start();
    assert_eq!(cluster.url().matches("127.0.0.1").count(), 3);
    let first = until(|| cluster.leader());
    cluster.nodes()[first].kill();
    let second = until(|| cluster.leader());
    assert_ne!(first, second);
    cluster.nodes()[first].restart();
}

#[test]
fn a_proxy_passes_waits_swallows_and_cuts() {
    let proxy = Proxy::to(echo());
    let mut client = connect(proxy.port());
    let ask = |client: &mut TcpStream| client.write_all(b"x").unwrap();
    ask(&mut client);
    assert_eq!(hear(&mut client, 1), "x");
    assert_eq!(proxy.requests(), 1);

    proxy.stall();
    ask(&mut client);
    assert!(is_silent(&mut client));
    assert_eq!(proxy.requests(), 1, "the server knows of nothing");
    proxy.stall_answers();
    until(|| (proxy.requests() == 2).then_some(()));
    assert!(is_silent(&mut client));
    proxy.flow();
    assert_eq!(hear(&mut client, 1), "x");

    proxy.drop_answers(2);
    ask(&mut client);
    until(|| (proxy.requests() == 3).then_some(()));
    assert!(is_silent(&mut client));
    ask(&mut client);
    assert_eq!(hear(&mut client, 1), "", "it is closed");
    until(|| TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).err());

    proxy.mend();
    let mut client = connect(proxy.port());
    ask(&mut client);
    assert_eq!(hear(&mut client, 1), "x");
    proxy.cut();
    assert_eq!(hear(&mut client, 1), "", "it is closed");
    TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).expect_err("it refuses");
}

#[test]
fn a_proxy_is_mended_while_a_child_has_what_it_listened_by() {
    let proxy = Proxy::to(echo());
    let _child = parked();
    proxy.cut();
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).is_err());
    proxy.mend();
    assert_eq!(say(proxy.port(), "x", 1), "x");
}

#[test]
fn a_port_is_free_for_a_proxy_while_other_processes_are_started() {
    let proxies = thread::spawn(|| (0..200).for_each(|_| drop(Proxy::to(1))));
    while !proxies.is_finished() {
        let _child = parked();
    }
    proxies.join().expect("each has a port");
}

/// A process that has what this one has open.
fn parked() -> Child {
    match fork::fork().expect("there is a child") {
        fork::Fork::Child => loop {
            thread::park();
        },
        fork::Fork::Parent(child) => Child(Pid::from_raw(child).expect("not zero")),
    }
}

/// Is killed in the end.
struct Child(Pid);

impl Drop for Child {
    fn drop(&mut self) {
        kill_process(self.0, Signal::KILL).expect("it is a child");
        waitpid(Some(self.0), WaitOptions::empty()).expect("it is a child");
    }
}

/// A server that says what it is told.
fn echo() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut byte = [0];
                while stream.read_exact(&mut byte).is_ok() && stream.write_all(&byte).is_ok() {}
            });
        }
    });
    port
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// What the server says next, of this length, or less if it closes before.
fn hear(stream: &mut TcpStream, length: u64) -> String {
    let mut said = Vec::new();
    match stream.take(length).read_to_end(&mut said) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8_lossy(&said).into_owned(),
    }
}

fn say(port: u16, what: &str, length: u64) -> String {
    let mut stream = connect(port);
    stream.write_all(what.as_bytes()).unwrap();
    hear(&mut stream, length)
}

fn post(port: u16, path: &str, body: &str) -> String {
    let length = body.len();
    let head = "HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length";
    say(
        port,
        &format!("POST {path} {head}: {length}\r\n\r\n{body}"),
        1 << 16,
    )
}

fn log_in(stream: &mut TcpStream) {
    let parameters = b"\0\x03\0\0user\0postgres\0database\0postgres\0\0";
    let length = u8::try_from(4 + parameters.len()).unwrap();
    stream.write_all(&[0, 0, 0, length]).unwrap();
    stream.write_all(parameters).unwrap();
    // It is ready for a query.
    while hear(stream, 1) != "Z" {
        let mut length = [0; 4];
        stream.read_exact(&mut length).unwrap();
        hear(stream, u64::from(u32::from_be_bytes(length)) - 4);
    }
    hear(stream, 5);
}

/// Nothing comes for a while.
fn is_silent(stream: &mut TcpStream) -> bool {
    stream
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let silent = stream.read(&mut [0]).is_err();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    silent
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "nothing changes");
        thread::sleep(Duration::from_millis(5));
    }
}
