//! No file is longer than 600 lines, and no function than 60, so that each can be read at once.
//!
//! One that has to be says why, in a line at the head of its file that begins with "Long, since".
//! Functions are found in the text, as rustfmt leaves it: one ends with the first brace that is
//! as far to the left as it begins.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

const MOST_OF_A_FILE: usize = 600;
const MOST_OF_A_FUNCTION: usize = 60;

#[test]
fn files_and_functions_are_short() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut sources = Vec::new();
    find(repository, &mut sources);
    assert!(sources.len() > 100, "{sources:?}");
    let texts = sources.iter().map(|file| {
        let text = fs::read_to_string(file).unwrap();
        (file.strip_prefix(repository).unwrap(), text)
    });
    let long = texts.flat_map(|(file, text)| {
        let long = too_long(&text).into_iter();
        long.map(move |what| format!("{}: {what}", file.display()))
    });
    assert_eq!(long.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn long_ones_are_found() {
    let function = |lines: usize, head: &str| {
        let body = "        call();\n".repeat(lines - 3);
        format!("impl Type {{\n    {head}(\n    ) {{\n{body}    }}\n}}\n")
    };
    for head in ["fn f", "pub(super) async fn f", "unsafe extern \"C\" fn f"] {
        assert_eq!(too_long(&function(MOST_OF_A_FUNCTION, head)), [""; 0]);
        let long = function(MOST_OF_A_FUNCTION + 1, head);
        assert_eq!(too_long(&long), ["function `f` has 61 lines"]);
        let allowed = format!("//! Tests.\n//!\n//! Long, since it is a test.\n{long}");
        assert_eq!(too_long(&allowed), [""; 0]);
    }
    let short = "fn f();\nfn g() {}\nfn h(\n    a: u8,\n) -> u8\nwhere\n    u8: Copy;\n";
    let lines = "\n".repeat(MOST_OF_A_FILE - 7);
    assert_eq!(too_long(&format!("{short}{lines}")), [""; 0]);
    let long = too_long(&format!("{short}{lines}\n"));
    assert_eq!(long, ["it has 601 lines"]);
}

/// The sources of a folder, without what is built or hidden.
fn find(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            find(&path, sources);
        } else if path.extension() == Some(OsStr::new("rs")) {
            sources.push(path);
        }
    }
}

/// What is too long in a text.
fn too_long(text: &str) -> Vec<String> {
    let mut head = text.lines().take_while(|line| line.starts_with("//"));
    if head.any(|line| line.starts_with("//! Long, since ")) {
        return Vec::new();
    }
    let lines: Vec<_> = text.lines().collect();
    let mut found = Vec::new();
    if lines.len() > MOST_OF_A_FILE {
        found.push(format!("it has {} lines", lines.len()));
    }
    for at in 0..lines.len() {
        if let Some((name, length)) = function(&lines[at..]) {
            if length > MOST_OF_A_FUNCTION {
                found.push(format!("function `{name}` has {length} lines"));
            }
        }
    }
    found
}

/// The name and the length of the function that begins here, if one with a body does.
fn function<'a>(lines: &[&'a str]) -> Option<(&'a str, usize)> {
    let code = lines[0].trim_start();
    let (before, rest) = code
        .strip_prefix("fn ")
        .map_or_else(|| code.split_once(" fn "), |rest| Some(("", rest)))?;
    let is_before = |word: &str| {
        let words = ["async", "const", "default", "extern", "unsafe"];
        word.starts_with("pub") || word.starts_with('"') || words.contains(&word)
    };
    if !before.split_whitespace().all(is_before) {
        return None;
    }
    let head = lines
        .iter()
        .position(|line| line.ends_with(['{', '}', ';']))?;
    if !lines[head].ends_with('{') {
        return None;
    }
    let indent = &lines[0][..lines[0].len() - code.len()];
    let ends = |line: &&str| {
        let rest = line.strip_prefix(indent);
        rest.is_some_and(|rest| rest.starts_with('}'))
    };
    let body = lines[head + 1..].iter().position(ends)?;
    let name = rest.split(['(', '<']).next()?;
    Some((name, head + body + 2))
}
