//! What `etcdctl` does, through the server's HTTP gateway.

use std::io::{Read, Write};
use std::net::TcpStream;

/// One call; its answer, in JSON.
pub(crate) fn call(port: u16, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    let head = "Host: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n";
    write!(
        stream,
        "POST /v3/{path} HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The leases that there are.
pub(crate) fn leases(port: u16) -> Vec<String> {
    let answer = call(port, "lease/leases", "{}");
    let ids = answer.split("\"ID\":\"").skip(1);
    ids.filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

/// Revokes all leases.
pub(crate) fn revoke_all(port: u16) {
    for lease in leases(port) {
        call(port, "lease/revoke", &format!("{{\"ID\":\"{lease}\"}}"));
    }
}

/// Makes a user `root` and one without rights, and demands logins from now on.
pub(crate) fn demand_logins(port: u16) {
    for name in ["root", "nobody"] {
        call(
            port,
            "auth/user/add",
            &format!("{{\"name\":\"{name}\",\"password\":\"s3cret\"}}"),
        );
        call(port, "auth/role/add", &format!("{{\"name\":\"{name}\"}}"));
        call(
            port,
            "auth/user/grant",
            &format!("{{\"user\":\"{name}\",\"role\":\"{name}\"}}"),
        );
    }
    let answer = call(port, "auth/enable", "{}");
    assert!(answer.contains("200 OK"), "{answer}");
}
