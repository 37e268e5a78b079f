//! `lockutils serve`: what a browser gets, and who gets nothing.

use crate::service::{Service, looking};
use lockutils_conformance::Process;
use lockutils_tests::{Directory, Trace};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// The command, and where it serves.
struct Served {
    process: Process,
    host: String,
    path: String,
}

impl Served {
    fn start(directory: &Directory) -> Self {
        let process = Process::start_marked(&mut looking(directory, ["serve"]), "http://");
        let address = process.hear_of("127.0.0.1");
        let (port, path) = address.split_once('/').expect("a path");
        Self {
            process,
            host: format!("127.0.0.1{port}"),
            path: format!("/{path}"),
        }
    }

    /// What a request gets, as text: the head and the body.
    fn send(&self, request: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let request = request.replace('\n', "\r\n");
        write!(stream, "{request}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.to_lowercase(), body.to_owned())
    }

    fn get(&self, page: &str) -> (String, String) {
        let Self { host, path, .. } = self;
        self.send(&format!("GET {path}{page} HTTP/1.1\nHost: {host}"))
    }
}

#[test]
fn browser_has_the_page_and_its_data() {
    let directory = Directory::new();
    let mut service = Service::start(&directory);
    service.have_it("hold 2f1c");
    service.have_it("wait 2f1c fetch");
    let served = Served::start(&directory);
    assert!(served.path.len() > 32, "{}", served.path);
    let (head, body) = served.get("");
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(
        head.contains("\r\ncontent-type: text/html; charset=utf-8"),
        "{head}"
    );
    assert!(
        head.contains("\r\ncontent-security-policy: default-src 'none'; "),
        "{head}"
    );
    assert!(head.contains("frame-ancestors 'none'"), "{head}");
    assert!(body.starts_with("<!doctype html>"), "{body}");
    let data = |page| -> Value {
        let (head, body) = served.get(page);
        assert!(
            head.contains("\r\ncontent-type: application/json"),
            "{head}"
        );
        serde_json::from_str(&body).unwrap()
    };
    assert_eq!(data("locks.json")["locks"][0]["key"], "2f1c");
    assert_eq!(data("why.json")["why"]["waiters"], 1);
    assert!(data("profile.json")["profile"].is_array());
    let tools = |page, content_type| {
        let (head, body) = served.get(page);
        assert!(
            head.contains(&format!("\r\ncontent-type: {content_type}\r\n")),
            "{head}"
        );
        body
    };
    let metrics = tools("metrics", "text/plain; version=0.0.4; charset=utf-8");
    assert!(
        metrics.contains("\nlockutils_waiters{space=\"cells\"} 1\n"),
        "{metrics}"
    );
    tools("profile.folded", "text/plain; charset=utf-8");
    tools("profile.pb", "application/octet-stream");
    let (_, timeline) = served.get("trace.json");
    let timeline = Trace::read(timeline.as_bytes());
    assert_eq!(timeline.holds("cells/2f1c").len(), 1);
    assert_eq!(timeline.outcomes("cells/2f1c"), ["waits still"]);
}

#[test]
fn nobody_else_gets_anything() {
    let directory = Directory::new();
    let _service = Service::start(&directory);
    let served = Served::start(&directory);
    let Served { host, path, .. } = &served;
    for (status, request) in [
        (404, format!("GET / HTTP/1.1\nHost: {host}")),
        (404, format!("GET /locks.json HTTP/1.1\nHost: {host}")),
        (
            404,
            format!("GET {} HTTP/1.1\nHost: {host}", path.trim_end_matches('/')),
        ),
        (
            404,
            format!("GET {path}metrics.json HTTP/1.1\nHost: {host}"),
        ),
        (
            404,
            format!("GET {path}../etc/passwd HTTP/1.1\nHost: {host}"),
        ),
        (
            405,
            format!("POST {path}locks.json HTTP/1.1\nHost: {host}\nContent-Length: 0"),
        ),
        // A name of somebody's that leads to this host, and somebody's page.
        (
            403,
            format!("GET {path}locks.json HTTP/1.1\nHost: rebound.example"),
        ),
        (
            403,
            format!("GET {path}locks.json HTTP/1.1\nHost: {host}\nOrigin: http://evil.example"),
        ),
        (
            403,
            format!("GET {path}locks.json HTTP/1.1\nHost: {host}\nOrigin: null"),
        ),
        (
            200,
            format!("GET {path}locks.json HTTP/1.1\nHost: {host}\nOrigin: http://{host}"),
        ),
    ] {
        let (head, body) = served.send(&request);
        assert!(
            head.starts_with(&format!("http/1.1 {status} ")),
            "{request}: {head}"
        );
        assert_eq!(
            body.contains("\"locks\""),
            status == 200,
            "{request}: {body}"
        );
    }
}

#[test]
fn it_ends_with_the_service() {
    let directory = Directory::new();
    let service = Service::start(&directory);
    let mut served = Served::start(&directory);
    drop(service);
    let (head, body) = served.get("locks.json");
    assert!(head.starts_with("http/1.1 502 "), "{head}");
    assert!(body.contains(" has ended\""), "{body}");
    assert_eq!(served.process.end().code(), Some(69));
}
