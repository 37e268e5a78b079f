//! Help, completions and manual pages.

use crate::{done, lockutils, prepared};
use lockutils_tests::Directory;

const SUBCOMMANDS: [&str; 7] = ["run", "ps", "rm", "sweep", "wrap", "completions", "man"];

#[test]
fn help_has_examples_and_exit_statuses() {
    let directory = Directory::new();
    for subcommand in SUBCOMMANDS {
        let done = done(&mut lockutils(&directory, [subcommand, "--help"]));
        assert_eq!((done.code, &*done.err), (Some(0), ""));
        let example = format!("\nExamples:\n  lockutils {subcommand}");
        assert!(done.out.contains(&example), "{}", done.out);
        assert!(done.out.contains("\nExit status:\n"), "{}", done.out);
        if !["completions", "man"].contains(&subcommand) {
            assert!(done.out.contains("LOCKUTILS_DIR "), "{}", done.out);
            assert!(done.out.contains("OSLO_LOCK_PATH "), "{}", done.out);
        }
        let widest = done.out.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{}", done.out);
    }
}

#[test]
fn argument_that_is_misspelt_is_corrected() {
    let directory = Directory::new();
    let wrong = done(&mut lockutils(&directory, ["rum", "key"]));
    assert_eq!(wrong.code, Some(64));
    assert!(wrong.err.contains("'run'"), "{}", wrong.err);
}

#[test]
fn shells_have_completions() {
    let directory = Directory::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let done = done(&mut lockutils(&directory, ["completions", shell]));
        assert_eq!((done.code, &*done.err), (Some(0), ""));
        for word in SUBCOMMANDS.iter().chain(&["conflict-exit-code"]) {
            assert!(done.out.contains(word), "{shell}: {word}");
        }
    }
}

/// As the shell does when somebody types and presses the key.
#[test]
fn bash_completes() {
    let directory = Directory::new();
    let script = "source <(lockutils completions bash)
                  complete() { COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1)) COMPREPLY=()
                      _lockutils lockutils \"${@: -1}\" \"${@: -2:1}\"; echo ${COMPREPLY[@]}; }
                  complete lockutils r
                  complete lockutils run --t";
    let done = done(prepared("bash", &directory).args(["-c", script]));
    assert_eq!((&*done.out, &*done.err), ("run rm\n--timeout\n", ""));
}

#[test]
fn manual_pages_are_those_of_the_help() {
    let directory = Directory::new();
    let page = done(&mut lockutils(&directory, ["man"]));
    assert!(page.out.contains("\n.TH lockutils 1 "), "{}", page.out);
    for subcommand in SUBCOMMANDS {
        let link = format!("lockutils\\-{subcommand}(1)");
        assert!(page.out.contains(&link), "{}", page.out);
        let page = done(&mut lockutils(&directory, ["man", subcommand]));
        let title = format!("\n.TH lockutils-{subcommand} 1 ");
        assert_eq!((page.code, &*page.err), (Some(0), ""));
        assert!(page.out.contains(&title), "{}", page.out);
        assert!(page.out.contains("\nExamples:\n"), "{}", page.out);
    }
    let wrong = done(&mut lockutils(&directory, ["man", "nothing"]));
    assert_eq!((wrong.code, &*wrong.out), (Some(64), ""));
}
