//! What `etcdctl` does, through the server's HTTP gateway.

use lockutils_servers::Etcd;

fn call(port: u16, path: &str, body: &str) -> String {
    Etcd::call(port, path, body)
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

/// What each of the keys from one on and before another has under a name.
pub(crate) fn of_keys_between(port: u16, begin: &str, end: &str, name: &str) -> Vec<String> {
    let (begin, end) = (base64(begin), base64(end));
    let keys = format!("{{\"key\":\"{begin}\",\"range_end\":\"{end}\"}}");
    let answer = call(port, "kv/range", &keys);
    let begin = format!("\"{name}\":\"");
    let values = answer.split(&begin).skip(1);
    let values = values.map(|rest| rest.split('"').next().unwrap().to_owned());
    values.collect()
}

/// Revokes the leases of the keys from one on and before another.
pub(crate) fn revoke_between(port: u16, begin: &str, end: &str) {
    for lease in of_keys_between(port, begin, end, "lease") {
        call(port, "lease/revoke", &format!("{{\"ID\":\"{lease}\"}}"));
    }
}

/// Deletes the keys from one on and before another.
pub(crate) fn delete_between(port: u16, begin: &str, end: &str) {
    let (begin, end) = (base64(begin), base64(end));
    let keys = format!("{{\"key\":\"{begin}\",\"range_end\":\"{end}\"}}");
    let answer = call(port, "kv/deleterange", &keys);
    assert!(answer.contains("\"deleted\":\""), "{answer}");
}

/// Has a server refuse whatever would need space, by a value that is greater than its quota.
pub(crate) fn fill(port: u16, quota: usize) {
    let value = "A".repeat(quota / 3 * 4 + 4);
    let put = format!("{{\"key\":\"AA==\",\"value\":\"{value}\"}}");
    let answer = call(port, "kv/put", &put);
    assert!(answer.contains("database space exceeded"), "{answer}");
}

/// Forgets what was before now.
pub(crate) fn compact(port: u16) {
    let answer = call(port, "kv/range", "{\"key\":\"AA==\"}");
    let (_, rest) = answer.split_once("\"revision\":\"").unwrap();
    let now = rest.split('"').next().unwrap();
    call(
        port,
        "kv/compaction",
        &format!("{{\"revision\":\"{now}\"}}"),
    );
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for three in text.as_bytes().chunks(3) {
        let at = |index| u32::from(three.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) as usize % 64;
            let is_there = digit <= three.len();
            encoded.push(if is_there { DIGITS[value].into() } else { '=' });
        }
    }
    encoded
}
