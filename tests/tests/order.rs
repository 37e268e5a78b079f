//! The files of a crate are in a strict order: each imports only from files above it, so no two
//! need each other, and each can be read and moved with no more than those above it.
//!
//! The sources are read as text. A path that begins with `crate`, `super`, `self` or a module that
//! the file declares, in a `use` or anywhere else, is an import from the file of the longest module
//! that it names. To declare a module is none, and a module inside of a file is a part of that. A module
//! that there is for tests only may import anything, be it a file or the end of one.

use lockutils_tests::Directory;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::iter::Peekable;
use std::path::Path;

/// The crates that are so, by the files that they begin with.
const STRICT: [&str; 14] = [
    "backends/any/src/lib.rs",
    "backends/etcd/src/lib.rs",
    "backends/postgres/src/lib.rs",
    "backends/redis/src/lib.rs",
    "benches/src/main.rs",
    "cli/src/main.rs",
    "conformance/src/lib.rs",
    "macros/src/lib.rs",
    "remote/src/lib.rs",
    "runtime/src/lib.rs",
    "servers/src/lib.rs",
    "tests/src/lib.rs",
    "ui-tests/lints/src/lib.rs",
    "ui-tests/src/lib.rs",
];

#[test]
fn files_import_from_those_above_only() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for root in STRICT {
        assert_eq!(cycle(&repository.join(root)), None, "{root}");
    }
}

#[test]
fn files_that_need_each_other_are_found() {
    let directory = Directory::new();
    for (file, text) in [
        (
            "lib.rs",
            "mod a;\nmod b;\npub(crate) mod c;\n#[cfg(test)]\nmod t;\npub(crate) use a::A;",
        ),
        ("a.rs", "//! As crate::c.\nuse crate::{b::{self, B}, d};"),
        (
            "b/mod.rs",
            "mod d;\nuse d::D;\n#[cfg(all(test, unix))]\nmod tests { use crate::a; }",
        ),
        (
            "b/d.rs",
            "mod e { mod g { use super::super::D; fn f() { let _ = '{'; } } }\n\
             fn f() -> super::super::c::C { \"crate::a\" }",
        ),
        ("c.rs", "pub(crate) struct C;"),
    ] {
        let path = directory.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let root = directory.join("lib.rs");
    // That of `crate::d`, which is no module, is the root, which has what it re-exports.
    assert_eq!(cycle(&root).as_deref(), Some("crate -> a -> crate"));
    fs::write(directory.join("a.rs"), "use crate::b::B;").unwrap();
    assert_eq!(cycle(&root), None);
    for text in [
        "fn f() { crate::a::f(); }",
        "mod inside { use super::super::a::f; }",
    ] {
        fs::write(directory.join("c.rs"), text).unwrap();
        assert_eq!(cycle(&root).as_deref(), Some("a -> b -> b::d -> c -> a"));
    }
}

/// Names from the root downwards.
type Names = Vec<String>;

/// The paths that each module's file has.
type Modules = BTreeMap<Names, Vec<Names>>;

/// The modules that need each other, if there are some.
fn cycle(root: &Path) -> Option<String> {
    let mut modules = Modules::new();
    read(root, &[], &mut modules);
    let mut done = BTreeSet::new();
    let search = |module| search(&modules, module, &mut Vec::new(), &mut done);
    let names = modules
        .keys()
        .map(Vec::as_slice)
        .find_map(search)?
        .into_iter();
    let names = names.map(|module| match module {
        [] => "crate".to_owned(),
        names => names.join("::"),
    });
    Some(names.collect::<Vec<_>>().join(" -> "))
}

/// Follows imports until one leads back to where it came through.
fn search<'a>(
    modules: &'a Modules,
    module: &'a [String],
    through: &mut Vec<&'a [String]>,
    done: &mut BTreeSet<&'a [String]>,
) -> Option<Vec<&'a [String]>> {
    if let Some(begin) = through.iter().position(|one| *one == module) {
        return Some([&through[begin..], &[module]].concat());
    }
    if done.contains(module) {
        return None;
    }
    through.push(module);
    let imports = modules[module].iter();
    let mut imports = imports.map(|path| named(modules, module, path));
    let found = imports.find_map(|import| {
        let is_other = import != module;
        is_other.then(|| search(modules, import, through, done))?
    });
    through.pop();
    done.insert(module);
    found
}

/// The longest module that a path names.
fn named<'a>(modules: &'a Modules, module: &[String], path: &[String]) -> &'a [String] {
    let mut name = match &*path[0] {
        "crate" => Vec::new(),
        _ => module.to_vec(),
    };
    for word in path
        .iter()
        .filter(|word| *word != "crate" && *word != "self")
    {
        if word == "super" {
            name.pop();
            continue;
        }
        name.push(word.clone());
        if !modules.contains_key(&name) {
            name.pop();
            break;
        }
    }
    modules
        .get_key_value(&name)
        .expect("a module's parent is one")
        .0
}

/// Reads a file, and those of the modules that it declares.
fn read(file: &Path, module: &[String], modules: &mut Modules) {
    let text =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let code = text.split("\nmod tests {").next().expect("a part");
    let beside = file.parent().expect("a folder");
    let folder = if module.is_empty() || file.ends_with("mod.rs") {
        beside.to_owned()
    } else {
        file.with_extension("")
    };
    let (mut children, mut place, mut is_for_tests) = (Vec::new(), None, false);
    for line in code.lines().map(str::trim) {
        is_for_tests |= line.starts_with("#[cfg(test)") || line.starts_with("#[cfg(all(test,");
        if let Some(path) = line.strip_prefix("#[path = \"") {
            place = Some(beside.join(path.trim_end_matches("\"]")));
        }
        let words: Vec<_> = line.trim_end_matches(';').split(' ').collect();
        let declares = line.ends_with(';') && !is_for_tests;
        if let (true, [.., "mod", name]) = (declares, &words[..]) {
            let (own, inside) = (format!("{name}.rs"), format!("{name}/mod.rs"));
            let usual = [own, inside].map(|name| folder.join(name));
            let found = usual.iter().find(|file| file.exists());
            let file = place.take().or(found.cloned()).expect("a file");
            read(&file, &[module, &[(*name).to_owned()]].concat(), modules);
            children.push((*name).to_owned());
        }
        if !line.starts_with("#[") {
            (is_for_tests, place) = (false, None);
        }
    }
    modules
        .entry(module.to_vec())
        .or_default()
        .extend(paths(code, &children));
}

/// The paths of a text that begin with a word that is for modules.
fn paths(code: &str, children: &[String]) -> Vec<Names> {
    let words = words(code);
    let mut found = Vec::new();
    // How many braces are open, and how many were where each module began that is written in the file itself.
    let (mut open, mut inside) = (0, Vec::new());
    for at in 1..words.len().saturating_sub(1) {
        match &*words[at] {
            "{" => {
                if at > 1 && words[at - 2] == "mod" {
                    inside.push(open);
                }
                open += 1;
            }
            "}" => {
                open -= 1;
                if inside.last() == Some(&open) {
                    inside.pop();
                }
            }
            _ => {}
        }
        let begins =
            ["crate", "self", "super"].contains(&&*words[at]) || children.contains(&words[at]);
        // `$crate` is what a macro's expansion names, wherever that is.
        let is_path = !["::", "$"].contains(&&*words[at - 1]);
        if begins && is_path && words[at + 1] == "::" {
            let mut all = Vec::new();
            tree(&mut words[at..].iter().peekable(), Vec::new(), &mut all);
            let from_file = |path| as_the_file_says(path, inside.len());
            found.extend(all.into_iter().filter_map(from_file));
        }
    }
    found
}

/// A path that is in so many modules inside of a file, as the file itself would have it; if it leaves them.
fn as_the_file_says(path: Names, modules: usize) -> Option<Names> {
    let up = path.iter().take_while(|word| *word == "super").count();
    if modules == 0 || path[0] == "crate" {
        return Some(path);
    }
    let rest = path.get(modules..).filter(|_| up >= modules)?;
    Some([&["self".to_owned()], rest].concat())
}

/// A path, or several that begin in the same way.
fn tree<'a>(
    words: &mut Peekable<impl Iterator<Item = &'a String>>,
    mut path: Names,
    found: &mut Vec<Names>,
) {
    while let Some(word) = words.next_if(|word| is_name(word)) {
        path.push(word.clone());
        if words.next_if(|word| *word == "::").is_none() {
            break;
        }
        if words.next_if(|word| *word == "{").is_some() {
            while words.peek().is_some_and(|word| *word != "}") {
                tree(words, path.clone(), found);
                // What follows is `as` and a name.
                while words.next_if(|word| *word != "," && *word != "}").is_some() {}
                words.next_if(|word| *word == ",");
            }
            words.next();
            return;
        }
    }
    found.push(path);
}

fn is_name(word: &str) -> bool {
    word.starts_with(|char: char| char.is_alphabetic() || char == '_')
}

/// Names, `::`, and other characters each by itself; without comments and texts.
fn words(code: &str) -> Vec<String> {
    let code = ["'\"'", "\\\"", "'{'", "'}'"]
        .iter()
        .fold(code.to_owned(), |code, one| code.replace(one, ""));
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let code: String = code.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let mut words = vec![String::new()];
    for char in code.chars() {
        let last = words.last_mut().expect("there is one");
        let goes_on = match char {
            ':' => last == ":",
            _ => (char.is_alphanumeric() || char == '_') && is_name(last),
        };
        if goes_on {
            last.push(char);
        } else if !char.is_whitespace() {
            words.push(char.into());
        } else if !last.is_empty() {
            words.push(String::new());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
