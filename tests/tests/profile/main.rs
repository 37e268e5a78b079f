//! A profile in its forms: the table, the lines for flame graphs, and that of pprof.
//!
//! In a binary of its own: a profile is of the process, and has only what was waited for most.

#![forbid(unsafe_code)]

use lockutils::{Locks, Profile, profile};
use lockutils_tests::{ByHand, in_time, skip};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, thread};

/// From the first look on waits are counted.
fn watch() {
    let _ = profile();
}

/// One key is waited for twice as long as another, from another place. Gives the lines of who has
/// them, and of who waits for the first and the second.
fn contend(locks: &Locks) -> [u32; 3] {
    let mut lines = [0; 3];
    for (key, times) in [("less", 1), ("more", 2)] {
        let (guard, line) = (locks.key(key).lock(), line!());
        lines[0] = line;
        let (wait, line) = match times {
            1 => (locks.key(key).lock_async(), line!()),
            _ => (locks.key(key).lock_async(), line!()),
        };
        lines[times] = line;
        let mut waiter = ByHand::new(wait);
        assert!(waiter.poll().is_pending());
        thread::sleep(Duration::from_millis(20) * u32::try_from(times).unwrap());
        drop(guard);
        drop(waiter.finish());
    }
    lines
}

/// The stacks of a space, and how many nanoseconds each has.
fn folded(profile: &Profile, space: &str) -> BTreeMap<[String; 3], u64> {
    let mut text = Vec::new();
    profile.write_folded(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let line = |line: &str| {
        let (stack, nanoseconds) = line.rsplit_once(' ').unwrap();
        let stack: Vec<_> = stack.split(';').map(str::to_owned).collect();
        assert!(stack.iter().all(|frame| !frame.is_empty()), "{line}");
        (
            <[String; 3]>::try_from(stack).unwrap(),
            nanoseconds.parse::<u64>().unwrap(),
        )
    };
    let mut stacks: BTreeMap<_, _> = text.lines().map(line).collect();
    stacks.retain(|stack, _| stack[0] == space);
    stacks
}

#[test]
fn table_has_the_costliest_key_and_where_others_waited() {
    watch();
    in_time(|| {
        let [holder, less, more] = contend(&Locks::new("a table"));
        let text = profile().to_string();
        assert!(
            text.lines()
                .next()
                .unwrap()
                .contains(" waiter-seconds, load "),
            "{text}"
        );
        assert!(
            text.lines().nth(1).unwrap().starts_with("HELD BY "),
            "{text}"
        );
        let site = format!("main.rs:{holder} ");
        let mut lines = text.lines().filter(|line| line.starts_with("tests/"));
        let line = lines.find(|line| line.contains(&site) && line.contains("\"a table/"));
        let line = line.unwrap_or_else(|| panic!("{text}"));
        for waiter in [less, more] {
            assert!(line.contains(&format!("main.rs:{waiter} ")), "{text}");
        }
    });
}

#[test]
fn odd_names_are_one_frame_each() {
    watch();
    in_time(|| {
        contend(&Locks::new("odd;name\nof a space"));
        assert!(folded(&profile(), "odd:name of a space").len() >= 2);
    });
}

/// A message in the text of `protoc`: its fields, in their order.
type Message = Vec<(String, Value)>;

enum Value {
    Plain(String),
    Message(Message),
}

fn parse<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Message {
    let mut fields = Vec::new();
    while let Some(line) = lines.next().map(str::trim).filter(|line| *line != "}") {
        if let Some(name) = line.strip_suffix(" {") {
            fields.push((name.to_owned(), Value::Message(parse(lines))));
        } else {
            let (name, value) = line.split_once(": ").unwrap();
            fields.push((
                name.to_owned(),
                Value::Plain(value.trim_matches('"').to_owned()),
            ));
        }
    }
    fields
}

fn messages<'a>(message: &'a Message, name: &str) -> Vec<&'a Message> {
    let named = message.iter().filter(|field| field.0 == name);
    let inner = |field: &'a (String, Value)| match &field.1 {
        Value::Message(inner) => inner,
        Value::Plain(value) => panic!("{value}"),
    };
    named.map(inner).collect()
}

fn texts<'a>(message: &'a Message, name: &str) -> Vec<&'a str> {
    let named = message.iter().filter(|field| field.0 == name);
    let plain = |field: &'a (String, Value)| match &field.1 {
        Value::Plain(value) => &value[..],
        Value::Message(_) => panic!("{name} is a message"),
    };
    named.map(plain).collect()
}

fn number(message: &Message, name: &str) -> usize {
    texts(message, name)
        .first()
        .map_or(0, |text| text.parse().unwrap())
}

/// What `protoc` reads; `None` if there is none.
fn decode(profile: &Profile) -> Option<Message> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/profile");
    let started = Command::new("protoc")
        .args(["--decode=perftools.profiles.Profile", "profile.proto"])
        .arg(format!("--proto_path={folder}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let required = env::var_os("LOCKUTILS_SERVERS").is_some_and(|set| set == "required");
    let mut protoc = match started {
        Ok(protoc) => protoc,
        Err(error) if required => panic!("protoc: {error}"),
        Err(_) => return None,
    };
    let mut file = Vec::new();
    profile.write_pprof(&mut file).unwrap();
    protoc.stdin.take().unwrap().write_all(&file).unwrap();
    let output = protoc.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    Some(parse(&mut text.lines()))
}

/// Each stack of the space once more, from the decoded file, and its keys.
fn stacks(file: &Message, space: &str) -> (BTreeMap<[String; 3], u64>, BTreeMap<String, u64>) {
    let table = texts(file, "string_table");
    let text = |message: &Message, name: &str| table[number(message, name)].to_owned();
    let locations = messages(file, "location");
    let functions = messages(file, "function");
    let with_id = |all: &[&Message], id: usize| {
        let index = all.iter().position(|one| number(one, "id") == id);
        index.unwrap_or_else(|| panic!("no {id}"))
    };
    let (mut stacks, mut keys) = (BTreeMap::new(), BTreeMap::new());
    for sample in messages(file, "sample") {
        let frame = |id: &str| {
            let location = locations[with_id(&locations, id.parse().unwrap())];
            let id = number(messages(location, "line")[0], "function_id");
            text(functions[with_id(&functions, id)], "name")
        };
        let frames = texts(sample, "location_id").into_iter().rev().map(frame);
        let Ok([name, holder, waiter]) = <[String; 3]>::try_from(frames.collect::<Vec<_>>()) else {
            panic!("a stack of three");
        };
        if name != space {
            continue;
        }
        let holder = holder.strip_prefix("held by ").unwrap().to_owned();
        let waiter = waiter.strip_prefix("waited ").unwrap().to_owned();
        let nanoseconds: u64 = texts(sample, "value")[1].parse().unwrap();
        *stacks.entry([name, holder, waiter]).or_default() += nanoseconds;
        for label in messages(sample, "label") {
            assert_eq!(text(label, "key"), "key");
            *keys.entry(text(label, "str")).or_default() += nanoseconds;
        }
    }
    (stacks, keys)
}

#[test]
fn file_of_pprof_says_the_same_as_the_folded_lines() {
    watch();
    in_time(|| {
        let lines = contend(&Locks::new("pprof"));
        let profile = profile();
        let Some(file) = decode(&profile) else {
            return skip("there is no protoc");
        };
        let table = texts(&file, "string_table");
        assert_eq!(table[0], "");
        let types = messages(&file, "sample_type");
        let types = types.iter().map(|one| {
            let text = |name| table[number(one, name)];
            (text("type"), text("unit"))
        });
        let expected = [("contentions", "count"), ("delay", "nanoseconds")];
        assert_eq!(types.collect::<Vec<_>>(), expected);
        assert!(number(&file, "duration_nanos") > 0 && number(&file, "time_nanos") > 0);
        let (stacks, keys) = stacks(&file, "pprof");
        assert_eq!(stacks, folded(&profile, "pprof"));
        for (key, line) in [("less", lines[1]), ("more", lines[2])] {
            let waiter = format!("main.rs:{line}");
            let of_key = stacks
                .iter()
                .filter(|(stack, _)| stack[2].ends_with(&waiter));
            assert_eq!(
                keys[key],
                of_key.map(|(_, time)| time).sum::<u64>(),
                "{key}"
            );
        }
    });
}
