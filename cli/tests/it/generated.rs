//! Help, completions and manual pages.

use crate::{code, done, lockutils, prepared};
use lockutils_tests::Directory;

const SUBCOMMANDS: [&str; 12] = [
    "run",
    "ps",
    "why",
    "top",
    "serve",
    "profile",
    "record",
    "rm",
    "sweep",
    "wrap",
    "completions",
    "man",
];

#[test]
fn help_has_examples_and_exit_statuses() {
    let directory = Directory::new();
    for subcommand in SUBCOMMANDS {
        let done = done(&mut lockutils(&directory, [subcommand, "--help"]));
        assert_eq!((done.code, &*done.err), (Some(0), ""));
        let example = format!("\nExamples:\n  lockutils {subcommand}");
        assert!(done.out.contains(&example), "{}", done.out);
        assert!(done.out.contains("\nExit status:\n"), "{}", done.out);
        if ![
            "completions",
            "man",
            "profile",
            "record",
            "serve",
            "top",
            "why",
        ]
        .contains(&subcommand)
        {
            assert!(done.out.contains("LOCKUTILS_DIR "), "{}", done.out);
            assert!(done.out.contains("OSLO_LOCK_PATH "), "{}", done.out);
        }
        let widest = done.out.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(100), "{}", done.out);
    }
}

/// A line that is cut by one that is narrower leaves a piece, between two that are full.
#[test]
fn help_fills_narrow_terminals() {
    let directory = Directory::new();
    for subcommand in SUBCOMMANDS {
        let mut help = lockutils(&directory, [subcommand, "--help"]);
        let done = done(help.env("COLUMNS", "72"));
        let lines: Vec<_> = done.out.lines().collect();
        let prose = |line: &str| line.starts_with(|first: char| first.is_alphabetic());
        for pair in lines.windows(2) {
            let word = pair[1].split(' ').next().expect("a word");
            let is_full = pair[0].chars().count() + word.chars().count() >= 72;
            let goes_on = prose(pair[0]) && prose(pair[1]);
            assert!(pair[0].chars().count() <= 72, "{}", pair[0]);
            assert!(is_full || !goes_on, "{subcommand}: {pair:?}");
        }
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
        assert!(done.out.contains("LOCKUTILS_COMPLETE"), "{}", done.out);
    }
}

/// As the shell does when somebody types and presses the key.
#[test]
fn bash_completes() {
    let directory = Directory::new();
    let elsewhere = Directory::new();
    for (place, key) in [
        (&directory, "vm-7"),
        (&directory, "vm-8"),
        (&elsewhere, "image"),
    ] {
        assert_eq!(code(&mut lockutils(place, ["run", key, "--", "true"])), 0);
    }
    std::os::unix::fs::symlink("/bin/true", elsewhere.join("lockutils-tried")).unwrap();
    let script = "source <(lockutils completions bash)
                  PATH+=:$0
                  what_comes() { COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1)) COMPREPLY=() COMP_TYPE=9
                      \"$(complete -p lockutils | sed 's/.* -F \\([^ ]*\\) .*/\\1/')\" \\
                          lockutils \"${@: -1}\" \"${@: -2:1}\"
                      echo ${COMPREPLY[@]}; }
                  what_comes lockutils r
                  what_comes lockutils run --t
                  what_comes lockutils rm vm
                  what_comes lockutils run vm-8 vm
                  what_comes lockutils run --on redis://host vm
                  what_comes lockutils run vm-8 -- lockutils-tr
                  what_comes lockutils wrap -- env \"$0/im\"
                  what_comes lockutils wrap -- \"$0/im\"
                  what_comes lockutils wrap -- \"$0/lock\"
                  what_comes lockutils rm -- vm
                  what_comes lockutils man sw
                  what_comes lockutils ps --dir \"$0\" ''";
    let done = done(
        prepared("bash", &directory)
            .args(["-c", script])
            .arg(&*elsewhere),
    );
    let lines: Vec<_> = done.out.lines().map(str::trim).collect();
    let (image, program) = (elsewhere.join("image"), elsewhere.join("lockutils-tried"));
    assert_eq!(
        lines[..lines.len() - 1],
        [
            "run record rm",
            "--timeout --ttl",
            "vm-7 vm-8",
            "vm-7 vm-8",
            // Those of files are not a server's.
            "",
            "lockutils-tried",
            image.to_str().unwrap(),
            "",
            program.to_str().unwrap(),
            "vm-7 vm-8",
            "sweep",
        ]
    );
    let last = lines.last().expect("a line for each");
    assert!(last.split(' ').any(|word| word == "image"), "{last}");
    assert_eq!(done.err, "");
}

/// Those who come from `flock` and `env` leave them out.
#[test]
fn forgotten_hyphens_get_a_hint() {
    let directory = Directory::new();
    for (args, hint) in [
        (
            &["run", "key", "echo", "a b"][..],
            "`lockutils run key -- echo 'a b'`",
        ),
        (
            &["run", "-n", "key", "true"],
            "`lockutils run backup -- rsync -a /home /backup`",
        ),
        (
            &["run", "key", "rsync", "-x"],
            "`lockutils run key -- rsync -x`",
        ),
        (&["wrap", "cargo", "test"], "`lockutils wrap -- cargo test`"),
    ] {
        let done = done(&mut lockutils(&directory, args));
        assert_eq!((done.code, &*done.out), (Some(64), ""));
        assert!(done.err.contains(hint), "{}", done.err);
    }
    let done = done(&mut lockutils(&directory, ["run", "key"]));
    assert!(!done.err.contains("comes after"), "{}", done.err);
}

#[test]
fn manual_pages_are_written_all_at_once() {
    let directory = Directory::new();
    let pages = directory.join("share/man1");
    let install = format!("--install={}", pages.display());
    assert_eq!(
        done(&mut lockutils(&directory, ["man", &install])).code,
        Some(0)
    );
    let mut found: Vec<_> = std::fs::read_dir(&pages)
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let mut wanted: Vec<_> = SUBCOMMANDS.map(|name| format!("lockutils-{name}.1")).into();
    wanted.push("lockutils.1".to_owned());
    wanted.sort();
    assert_eq!(found, wanted);
    let page = std::fs::read_to_string(pages.join("lockutils-run.1")).unwrap();
    let printed = done(&mut lockutils(&directory, ["man", "run"]));
    assert_eq!(page, printed.out);
    // Where `man` looks for a user's own.
    let mut own = lockutils(&directory, ["man", "--install"]);
    own.env("HOME", &*directory).env_remove("XDG_DATA_HOME");
    assert_eq!(done(&mut own).code, Some(0));
    assert!(directory.join(".local/share/man/man1/lockutils.1").exists());
    let file = directory.join("file");
    std::fs::write(&file, "").unwrap();
    let install = format!("--install={}", file.join("man").display());
    let failed = done(&mut lockutils(&directory, ["man", &install]));
    assert_eq!(failed.code, Some(74));
    assert!(
        failed.err.contains(file.to_str().unwrap()),
        "{}",
        failed.err
    );
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
        for section in ["EXAMPLES", "\"EXIT STATUS\""] {
            let section = format!("\n.SH {section}\n.TP\n");
            assert!(page.out.contains(&section), "{}", page.out);
        }
        let footer = format!("\"lockutils {}\"", env!("CARGO_PKG_VERSION"));
        assert!(page.out.contains(&footer), "{}", page.out);
    }
    assert!(!page.out.contains("help(1)"), "{}", page.out);
    let page = done(&mut lockutils(&directory, ["man", "run"]));
    let synopsis = "\\fBlockutils run\\fR [OPTIONS] <KEY>... \\-\\- <COMMAND>...\n";
    assert!(page.out.contains(synopsis), "{}", page.out);
}

/// Also of what the grammar doesn't know of.
#[test]
fn wrong_use_is_told_the_usage_of_the_subcommand() {
    let directory = Directory::new();
    for args in [
        &["man", "nothing"][..],
        &["ps", "--watch"],
        &["ps", "--oslo"],
        &["run", "--oslo", "key", "--", "true"],
        &["rm", "--oslo", "key"],
        &["sweep", "--oslo"],
        &["man", "--install"],
    ] {
        let mut wrong = lockutils(&directory, args);
        wrong.env_remove("HOME").env_remove("XDG_DATA_HOME");
        let wrong = done(&mut wrong);
        assert_eq!((wrong.code, &*wrong.out), (Some(64), ""), "{args:?}");
        let usage = format!("\nUsage: lockutils {} ", args[0]);
        assert!(wrong.err.contains(&usage), "{}", wrong.err);
    }
}
