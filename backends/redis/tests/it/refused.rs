//! Servers that can't keep the promises, or aren't any.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use lockutils_conformance::eventually;
use lockutils_redis::RedisLocks;
use lockutils_remote::{Asked, Fault, Session as _};
use lockutils_servers::{Redis, free_port};
use redis::cmd;

use crate::setting::{LONG, admin, claim, granted, is_busy, member, open, open_as, run};

/// What a server says to who connects, which must have these words, and not the password.
fn refusal(url: &str, words: &[&str]) {
    let error = run(open_as(url, member())).err();
    let Some(Fault::Refused(cause)) = error else {
        panic!("{error:?}");
    };
    let text = cause.to_string();
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(text.contains("; "), "there is a remedy: {text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn users_without_login_or_rights() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    let mut admin = admin(&server.url());
    cmd("ACL")
        .arg("SETUSER")
        .arg("default")
        .arg("resetpass")
        .arg(">hidden")
        .exec(&mut admin)
        .unwrap();
    let at = format!("127.0.0.1:{}", server.port());
    refusal(&format!("redis://{at}"), &["NOAUTH", "password"]);
    refusal(&format!("redis://:secret@{at}"), &["user and password"]);
    refusal(
        &format!("redis://nobody:secret@{at}"),
        &["user and password"],
    );
    let all = "+hello +select +info +scan +get +mget +getset +set +del +pexpire +pttl +time +zadd \
               +zcard +zrem +zpopmin +publish +subscribe +pubsub|numsub +eval +evalsha +script|load +client|tracking \
               +client|setname resetchannels &lockutils:*";
    let mut set = |rules: &str| {
        let mut acl = cmd("ACL");
        acl.arg("SETUSER")
            .arg("u")
            .arg("reset")
            .arg("on")
            .arg(">secret");
        rules.split_whitespace().for_each(|rule| {
            acl.arg(rule);
        });
        acl.exec(&mut admin).unwrap();
    };
    let url = format!("redis://u:secret@{at}");
    let rights = all
        .split_whitespace()
        .filter(|right| right.starts_with('+'))
        .filter(|right| !["+select", "+scan", "+zcard", "+eval", "+hello"].contains(right));
    for right in rights {
        let others: Vec<_> = all
            .split_whitespace()
            .filter(|rule| *rule != right)
            .collect();
        set(&format!("{} ~lockutils:*", others.join(" ")));
        refusal(&url, &["+evalsha", "~PREFIX:*"]);
    }
    set(&format!("{all} ~other:*"));
    refusal(&url, &["~PREFIX:*"]);
    set(&format!("{all} resetchannels &other:* ~lockutils:*"));
    refusal(&url, &["&PREFIX:*"]);
    set(&format!("{all} ~lockutils:*"));
    run(async {
        let session = open(&url).await;
        granted(&session, &claim("k")).await;
        assert!(is_busy(&session, &claim("k")).await);
        session.holders(lockutils_remote::Query::All).await.unwrap();
    });
}

/// It has somebody wait, and may not serve who does.
#[test]
fn what_a_refused_opening_leaves_ends_with_a_lease() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    let mut admin = admin(&server.url());
    let rules = "SETUSER u on >secret ~* &* +@all -zpopmin";
    let mut acl = cmd("ACL");
    acl.arg(rules.split(' ').collect::<Vec<_>>());
    acl.exec(&mut admin).unwrap();
    let url = format!("redis://u:secret@127.0.0.1:{}", server.port());
    refusal(&url, &["+evalsha"]);
    let left: Vec<String> = cmd("KEYS").arg("*#open:*").query(&mut admin).unwrap();
    let lease = i64::try_from(member().lease.as_millis()).unwrap();
    for key in left {
        let left: i64 = cmd("PTTL").arg(&key).query(&mut admin).unwrap();
        // It may be over by now.
        assert!(left == -2 || (0..=lease).contains(&left), "{key}: {left}");
    }
}

#[test]
fn databases_that_are_not_there() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    refusal(&format!("{}/99", server.url()), &["database"]);
    run(async {
        let (second, first) = (
            open(&format!("{}/2", server.url())).await,
            open(&server.url()).await,
        );
        granted(&second, &claim("k")).await;
        granted(&first, &claim("k")).await;
    });
}

#[test]
fn servers_of_another_kind() {
    if !Redis::available() {
        return;
    }
    let primary = Redis::start();
    let replica = Redis::with(&["--replicaof", "127.0.0.1", &primary.port().to_string()]);
    refusal(&replica.url(), &["replica", "primary"]);
    let cluster = Redis::with(&["--cluster-enabled", "yes"]);
    refusal(&cluster.url(), &["cluster"]);
    let sentinel = Sentinel::start();
    refusal(&sentinel.url, &["sentinel"]);
    let full = Redis::with(&["--maxmemory-policy", "allkeys-lru"]);
    refusal(&full.url(), &["maxmemory-policy", "noeviction"]);
}

/// What it says is lost or not, by which of the two is first.
#[test]
fn a_server_that_has_its_most_clients_may_have_a_place_soon() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    let mut admin = admin(&server.url());
    let mut set_most = |most: u32| {
        let mut set = cmd("CONFIG");
        set.arg("SET").arg("maxclients").arg(most);
        set.exec(&mut admin).unwrap();
    };
    set_most(1);
    for _ in 0..20 {
        let fault = run(open_as(&server.url(), member())).err();
        let Some(Fault::NotDone(cause)) = fault else {
            panic!("{fault:?}");
        };
        let text = cause.to_string();
        let parts = ["`maxclients`", "max number of clients"];
        assert!(parts.iter().any(|part| text.contains(part)), "{text}");
    }
    set_most(10);
    run(open(&server.url()));
}

/// A server that watches others, which the harness knows nothing of.
struct Sentinel {
    url: String,
    process: std::process::Child,
    _directory: tempfile::TempDir,
}

impl Sentinel {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        let file = directory.path().join("sentinel.conf");
        std::fs::write(&file, format!("port {port}\nbind 127.0.0.1\n")).unwrap();
        let program = std::env::var_os("LOCKUTILS_REDIS").unwrap_or_else(|| "redis-server".into());
        let mut command = std::process::Command::new(program);
        command
            .arg(file)
            .arg("--sentinel")
            .stdout(std::process::Stdio::null());
        let sentinel = Self {
            url: format!("redis://127.0.0.1:{port}"),
            process: command.spawn().unwrap(),
            _directory: directory,
        };
        let begun = std::time::Instant::now();
        while redis::Client::open(&*sentinel.url)
            .unwrap()
            .get_connection()
            .is_err()
        {
            assert!(begun.elapsed() < LONG);
            thread::sleep(std::time::Duration::from_millis(10));
        }
        sentinel
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// It keeps its connections, and the URL may lead to the new primary: so who asks it connects again, also for a
/// lock that is held by what the replica has.
#[test]
fn a_primary_that_becomes_a_replica_ends_the_session() {
    if !Redis::available() {
        return;
    }
    for (key, asked) in [
        ("free", Asked::Once),
        ("held", Asked::Once),
        ("held", Asked::Waiting),
    ] {
        let (server, other) = (Redis::start(), Redis::start());
        run(async {
            let (session, holder) = (open(&server.url()).await, open(&server.url()).await);
            granted(&holder, &claim("held")).await;
            become_replica(&server, &other);
            let fault = session.acquire(&claim(key), asked).await.err();
            assert!(
                matches!(&fault, Some(Fault::Over(cause)) if cause.to_string().contains("primary")),
                "{key}, {asked:?}: {fault:?}"
            );
        });
        refusal(&server.url(), &["replica", "primary"]);
    }
}

#[test]
fn a_lock_that_only_a_replica_knows_of_is_not_busy() {
    if !Redis::available() {
        return;
    }
    let (server, other) = (Redis::start(), Redis::start());
    let holder = RedisLocks::new(&server.url()).unwrap();
    let lease = holder.key("held").lock().unwrap();
    let locks = RedisLocks::new(&server.url()).unwrap();
    let busy = locks.key("held").try_lock().unwrap_err();
    assert_eq!(busy.kind(), lockutils::ErrorKind::Busy);
    become_replica(&server, &other);
    for key in ["held", "free"] {
        let error = locks.key(key).try_lock().unwrap_err();
        assert_eq!(error.kind(), lockutils::ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("replica"), "{error}");
    }
    drop(lease);
}

/// It is tried again until the time is over, and the text says what was in vain.
#[test]
fn who_gives_up_on_a_server_that_is_not_there_is_told_so() {
    // Nobody but root can listen there, and nobody does.
    let locks = RedisLocks::new("redis://127.0.0.1:1").unwrap();
    let locks = locks.answer_timeout(LONG);
    let is_told = || {
        let timeout = std::time::Duration::from_millis(20);
        let error = locks.key("key").lock_timeout(timeout).unwrap_err();
        assert_eq!(error.kind(), lockutils::ErrorKind::Timeout, "{error}");
        let text = error.to_string();
        text.contains("Connection refused") && text.contains("; see that it runs")
    };
    // Between two attempts as well, which come ever more slowly. Not all at once on a machine that is busy.
    eventually("all are told", || (0..10).all(|_| is_told()));
}

/// Has the server follow the other one, whose data it gets sooner or later. The link between them is of a port at
/// which nobody listens, so that it keeps its own.
fn become_replica(server: &Redis, other: &Redis) {
    other.kill();
    let mut replicate = cmd("REPLICAOF");
    replicate.arg("127.0.0.1").arg(other.port());
    replicate.exec(&mut admin(&server.url())).unwrap();
}

#[test]
fn programs_that_are_no_such_server() {
    for (answer, word) in [
        (
            "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
            "no Redis server",
        ),
        (
            "-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n-ERR unknown command\r\n-ERR unknown command\r\n",
            "too old",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            // Until the other has read it.
            let _ = stream.read(&mut [0; 4096]);
        });
        refusal(&format!("redis://127.0.0.1:{port}"), &[word]);
        serving.join().unwrap();
    }
}
