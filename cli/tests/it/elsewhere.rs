//! Something else than the server of the URL is at its port, or that one speaks TLS and the URL doesn't.

use crate::{done, lockutils};
use lockutils_tests::Directory;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Says nothing, until the other end goes.
fn silent(mut stream: TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

/// Goes as soon as something comes.
fn ending(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 64]);
}

/// Answers as a web server does, and goes. The other end may write meanwhile.
fn web(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 16]);
    let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

/// The address of one who does that with each who connects.
fn listen(serve: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    address
}

#[test]
fn what_is_no_such_server_is_said_so_with_the_remedy() {
    // Of all, and of some.
    let remedies = [
        "is what the URL says, with TLS or without",
        "is it the port for clients of an etcd",
        "Redis 6 or newer, or Valkey, is needed",
        "check that it is a PostgreSQL server",
    ];
    let directory = Directory::new();
    thread::scope(|scope| {
        for serve in [silent, ending, web] {
            let address = listen(serve);
            for kind in ["redis", "rediss", "etcd", "etcds", "postgres"] {
                let url = format!("{kind}://user:hunter2@{address}");
                let args = ["run", "--on", &url, "key", "--", "true"];
                let mut command = lockutils(&directory, args);
                scope.spawn(move || {
                    let done = done(&mut command);
                    assert_eq!(done.code, Some(69), "{url}: {}", done.err);
                    let has = |remedy: &&str| done.err.contains(remedy);
                    assert!(remedies.iter().any(has), "{url}: {}", done.err);
                    assert!(!done.err.contains("hunter2"), "{}", done.err);
                });
            }
        }
    });
}
