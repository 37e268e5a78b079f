//! `lockutils ps --watch`.

use crate::pty::Terminal;
use crate::{done, holding, lockutils, shell};
use lockutils_tests::Directory;
use rustix::process::Signal;

#[test]
fn table_is_kept_up_to_date_and_leaves_the_terminal_as_it_was() {
    let directory = Directory::new();
    let script = "trap : INT; echo before; lockutils ps --watch; echo after $?";
    let mut terminal = Terminal::start(&shell(&directory, script));
    terminal.until_it_has("nobody holds a lock in ");
    terminal.until("a screen of its own", |screen| {
        screen.alternate_screen() && screen.hide_cursor() && !screen.contents().contains("before")
    });
    let first = holding(&directory, &["first"]);
    let pid = first.id().to_string();
    terminal.until("the lock comes", |screen| {
        let contents = screen.contents();
        contents.contains("KEY") && contents.contains("first") && contents.contains(&pid)
    });
    terminal.until("nothing is left of what was there", |screen| {
        !screen.contents().contains("nobody")
    });
    let _second = holding(&directory, &["second"]);
    terminal.until_it_has(" second ");
    drop(first);
    terminal.until("the lock goes", |screen| {
        !screen.contents().contains(" first ") && screen.contents().contains(" second ")
    });
    terminal.press("\x03");
    let (_, screen) = terminal.end();
    assert!(!screen.alternate_screen() && !screen.hide_cursor());
    let contents = screen.contents();
    assert!(contents.starts_with("before\n"), "{contents}");
    assert!(contents.trim_end().ends_with("after 0"), "{contents}");
    assert!(!contents.contains("KEY"), "{contents}");
}

#[test]
fn key_ends_it_and_leaves_the_terminal_as_it_was() {
    let directory = Directory::new();
    let script = "cd \"$LOCKUTILS_DIR\"; stty -a > before; lockutils ps --watch; echo after $?
                  stty -a > after";
    let mut terminal = Terminal::start(&shell(&directory, script));
    terminal.until_it_has("nobody holds a lock in ");
    // Which would stop it, and leave its screen to the shell.
    terminal.press("\x1a");
    terminal.press("q");
    let (_, screen) = terminal.end();
    assert!(!screen.alternate_screen() && !screen.hide_cursor());
    let contents = screen.contents();
    assert!(contents.trim_end().ends_with("after 0"), "{contents}");
    assert!(!contents.contains('q'), "{contents}");
    let settings = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    assert_eq!(settings("before"), settings("after"));
}

/// A terminal clears the last character with what is behind it, since the cursor stays there after a line of its width;
/// and what goes on behind it is written over it.
#[test]
fn last_column_stays() {
    let directory = Directory::new();
    let _holder = holding(&directory, &["key"]);
    let script = "stty cols 40; lockutils ps --watch";
    let mut terminal = Terminal::start(&shell(&directory, script));
    terminal.until_it_has(" key ");
    terminal.press("q");
    terminal.end();
    // The first line, which has where and when.
    assert!(terminal.has_had("…\x1b[2;1H"));
    assert!(terminal.has_had("WAITERS") && !terminal.has_had("WAITERS\x1b[K"));
}

/// As `script` says it, and some containers.
#[test]
fn terminal_of_no_size_shows_the_table() {
    let directory = Directory::new();
    let _holder = holding(&directory, &["key"]);
    let script = "stty rows 0 cols 0; lockutils ps --watch";
    let mut terminal = Terminal::start(&shell(&directory, script));
    terminal.until_it_has("locks in ");
    terminal.until_it_has(" key ");
    terminal.press("q");
    assert_eq!(terminal.end().0, 0);
}

/// What tells least goes first.
#[test]
fn narrow_terminal_leaves_out_the_place_and_cuts_the_command() {
    let directory = Directory::new();
    let _holder = holding(&directory, &["from-the-shell"]);
    let _guard = lockutils::FileLocks::new(&*directory)
        .key("from-code")
        .lock()
        .unwrap();
    let place = format!(" {}:", file!());
    let wide = done(&mut lockutils(&directory, ["ps"])).out;
    assert!(wide.contains("TAKEN AT") && wide.contains(&place), "{wide}");
    let script = "stty cols 70; lockutils ps";
    let mut terminal = Terminal::start(&shell(&directory, script));
    let (_, screen) = terminal.end();
    let contents = screen.contents();
    assert!(contents.contains(" HELD FOR  WAITERS"), "{contents}");
    assert!(contents.contains(" from-the-shell "), "{contents}");
    assert!(contents.contains(" sh -c "), "{contents}");
    assert!(!contents.contains("TAKEN AT"), "{contents}");
}

#[test]
fn signal_leaves_the_terminal_as_it_was() {
    let directory = Directory::new();
    let mut terminal = Terminal::start(&lockutils(&directory, ["ps", "--watch"]));
    terminal.until_it_has("nobody holds a lock in ");
    terminal.signal(Signal::TERM);
    let (code, screen) = terminal.end();
    assert_eq!(code, 0);
    assert!(!screen.alternate_screen() && !screen.hide_cursor());
}

#[test]
fn table_of_more_locks_than_lines_shows_the_first() {
    let directory = Directory::new();
    let keys: Vec<_> = (10..60).map(|key| format!("key-{key}")).collect();
    let keys: Vec<_> = keys.iter().map(|key| &key[..]).collect();
    let _holder = holding(&directory, &keys);
    let mut terminal = Terminal::start(&lockutils(&directory, ["ps", "--watch"]));
    terminal.until_it_has(" key-25 ");
    terminal.until("the header is there", |screen| {
        screen.contents().contains("KEY") && !screen.contents().contains("key-59")
    });
}
