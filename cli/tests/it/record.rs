//! `lockutils record` and `lockutils profile`.

use crate::done;
use crate::service::{Service, looking};
use lockutils_tests::{Directory, Trace};
use std::fs;
use std::process::{Command, Stdio};

/// A service with a lock that is held, and awaited.
fn service(directory: &Directory) -> Service {
    let mut service = Service::start(directory);
    service.have_it("hold 2f1c");
    service.have_it("wait 2f1c req-81");
    service
}

#[test]
fn timeline_is_written_to_a_file_or_to_a_pipe() {
    let directory = Directory::new();
    let _service = service(&directory);
    let file = directory.join("trace.json");
    let (path, second) = (file.to_str().unwrap(), ["--seconds", "0.2"]);
    let to_file = done(&mut looking(
        &directory,
        ["record", "-o", path].into_iter().chain(second),
    ));
    assert_eq!((to_file.code, &*to_file.out), (Some(0), ""));
    assert!(
        to_file.err.starts_with("lockutils: recorded "),
        "{}",
        to_file.err
    );
    let piped = done(&mut looking(
        &directory,
        ["record"].into_iter().chain(second),
    ));
    assert_eq!(piped.code, Some(0));
    for text in [fs::read(&file).unwrap(), piped.out.into_bytes()] {
        let trace = Trace::read(&text);
        let holds = trace.holds("cells/2f1c");
        assert_eq!(holds.len(), 1, "{holds:?}");
        assert_eq!(holds[0].args["thread"], "worker of 2f1c");
        assert_eq!(holds[0].args["held"], "at least");
        assert_eq!(trace.outcomes("cells/2f1c"), ["waits still"]);
        assert_eq!(trace.about["one_in"], 1);
    }
}

#[test]
fn profile_is_a_table_or_a_file() {
    let directory = Directory::new();
    let _service = service(&directory);
    let site = "cli/tests/it/service.rs:";
    for args in [&["profile"][..], &["profile", "--seconds", "0.2"]] {
        let table = done(&mut looking(&directory, args.iter().copied()));
        assert_eq!((table.code, &*table.err), (Some(0), ""));
        assert!(table.out.contains("HELD BY"), "{}", table.out);
        assert!(table.out.contains(site), "{}", table.out);
        // On average no more wait than do: also those count who have begun before anybody looked.
        let (_, load) = table
            .out
            .lines()
            .next()
            .unwrap()
            .split_once(", load ")
            .unwrap();
        assert!(load.parse::<f64>().unwrap() < 5.0, "{}", table.out);
    }
    for (name, part) in [
        ("x.folded", format!("cells;{site}")),
        ("x.pb", site.to_owned()),
        ("x.html", format!("\"held_by\":\"{site}")),
    ] {
        let file = directory.join(name);
        let path = file.to_str().unwrap();
        let args = ["profile", "-o", path, "--seconds", "0.1"];
        let written = done(&mut looking(&directory, args));
        assert_eq!(
            (written.code, &*written.out, &*written.err),
            (Some(0), "", "")
        );
        let bytes = fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(&part), "{text}");
    }
}

#[test]
fn wrong_ending_is_an_error() {
    let directory = Directory::new();
    for args in [
        ["record", "-o", "trace.html"],
        ["record", "-o", "json"],
        ["profile", "-o", "x.json"],
        ["profile", "--seconds", "61"],
        ["record", "--one-in", "0"],
    ] {
        let done = done(&mut looking(&directory, args));
        assert_eq!((done.code, &*done.out), (Some(64), ""), "{args:?}");
    }
    assert!(!directory.join("trace.html").exists());
}

#[test]
fn file_that_cannot_be_written_is_an_error() {
    let directory = Directory::new();
    let _service = service(&directory);
    let file = directory.join("missing/trace.json");
    let path = file.to_str().unwrap();
    let done = done(&mut looking(
        &directory,
        ["record", "--seconds", "0.1", "-o", path],
    ));
    assert_eq!(done.code, Some(74));
    assert!(done.err.contains("can't write "), "{}", done.err);
}

#[test]
fn one_recording_at_a_time() {
    let directory = Directory::new();
    let service = service(&directory);
    let start = || {
        let mut first = looking(&directory, ["record", "--seconds", "60"]);
        first.stdout(Stdio::null()).spawn().unwrap()
    };
    let mut first = start();
    let second = || done(&mut looking(&directory, ["record", "--seconds", "0"]));
    lockutils_tests::eventually("the first one records", || {
        let is_refused = second().code == Some(69);
        let is_over = first.try_wait().unwrap().is_some();
        if is_over {
            // The second was the first to ask.
            first = start();
        }
        is_refused && !is_over
    });
    first.kill().unwrap();
    first.wait().unwrap();
    // It ends with its connection.
    lockutils_tests::eventually("the first one is over", || second().code == Some(0));
    drop(service);
}

/// What others make of a profile, where they are there.
#[test]
fn pprof_reads_the_profile() {
    let directory = Directory::new();
    let _service = service(&directory);
    let file = directory.join("x.pb");
    let args = ["profile", "-o", file.to_str().unwrap()];
    assert_eq!(done(&mut looking(&directory, args)).code, Some(0));
    let Ok(output) = Command::new("protoc")
        .arg("--decode_raw")
        .stdin(fs::File::open(&file).unwrap())
        .output()
    else {
        lockutils_tests::skip("protoc is not installed");
        return;
    };
    assert!(output.status.success(), "{output:?}");
}
