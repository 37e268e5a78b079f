//! `lockutils top`.

use crate::done;
use crate::pty::Terminal;
use crate::service::{Service, look, looking};
use crate::shell;
use lockutils_tests::Directory;
use rustix::process::Signal;
use vt100::{Color, Screen};

/// A service of which two locks are awaited, and one of those was handed to a future that nobody polls.
fn stuck(directory: &Directory) -> Service {
    let mut service = Service::start(directory);
    for command in [
        "hold 2f1c",
        "wait 2f1c refresh",
        "wait 2f1c req-7 holding 9a",
        "wait 9a fetch",
        "hold idle",
        "hold 31",
        "wait 31 req-81",
        "release 31",
    ] {
        service.have_it(command);
    }
    service
}

/// The line that has this text, without the spaces behind it, of which there are some where it was longer before.
fn line(screen: &Screen, text: &str) -> Option<String> {
    let contents = screen.contents();
    let line = contents.lines().find(|line| line.contains(text))?;
    Some(line.trim_end().to_owned())
}

fn is_as_it_was(screen: &Screen) -> bool {
    !screen.alternate_screen() && !screen.hide_cursor()
}

#[test]
fn locks_are_shown_with_who_has_them_and_who_waits() {
    let directory = Directory::new();
    let mut service = stuck(&directory);
    let mut terminal = look(&directory, ["top"]);
    // Who isn't polled waits still, unless it had waited for so long that it was handed the lock.
    terminal.until("all who wait", |screen| {
        let mut counts = [" 4 waiting  4 held  oldest ", " 3 waiting  4 held  oldest "].iter();
        counts.any(|count| screen.contents().contains(count))
    });
    terminal.until_it_has(", not polled");
    terminal.until("the locks", |screen| {
        let row = |text| line(screen, text).unwrap_or_default();
        let (first, behind) = (row("cells/2f1c cli"), row("cells/9a"));
        first.starts_with('▸')
            && first.contains(" worker of 2f1c ")
            && first.contains("  2 ")
            && behind.ends_with("⇠ cells/2f1c")
            && row("cells/31").starts_with("! ")
            && row("cells/idle").starts_with("  cells")
    });
    // The first is that with the most load; its queue opens and closes.
    terminal.press("\r");
    terminal.until("the queue", |screen| {
        let queue = line(screen, "│ 2");
        line(screen, "│ 1").is_some_and(|line| line.contains(" refresh "))
            && queue
                .is_some_and(|line| line.contains(" req-7 ") && line.ends_with("holds cells/9a"))
    });
    terminal.press("\r");
    terminal.until("no queue", |screen| line(screen, "│").is_none());
    // It is looked at again and again, and counted.
    service.have_it("hold later");
    terminal.until_it_has("cells/later");
    terminal.until_it_has("waits/s 0.0  timeouts/s 0.0  refused/s 0.0");
    service.have_it("try later");
    terminal.until("one was refused", |screen| {
        line(screen, "refused/s ").is_some_and(|line| !line.contains("refused/s 0.0"))
    });
    terminal.press("q");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0);
    assert!(is_as_it_was(screen));
}

#[test]
fn keys_choose_find_sort_freeze_and_explain() {
    let directory = Directory::new();
    let mut service = stuck(&directory);
    let mut terminal = look(&directory, ["top", &service.id()]);
    terminal.until_it_has("cells/idle");
    terminal.press("s");
    terminal.until_it_has("sort: oldest");
    terminal.press("ss");
    terminal.until_it_has("sort: load");
    terminal.press("/FETCH");
    terminal.until("one of them", |screen| {
        line(screen, "find: FETCH_").is_some()
            && line(screen, "cells/9a").is_some()
            && line(screen, "cells/idle").is_none()
    });
    terminal.press("\r");
    terminal.until_it_has("found: FETCH");
    terminal.press("/xyz\r");
    terminal.until_it_has("no such lock");
    terminal.press("\x1b");
    terminal.until_it_has("cells/idle");
    // An arrow, and not an escape.
    terminal.press("\x1b[B\x1b[B");
    terminal.until("the second is chosen", |screen| {
        let row = screen
            .contents()
            .lines()
            .position(|line| line.contains("cells/idle"));
        row.is_some() && (3..10).any(|row| screen.cell(row, 2).is_some_and(vt100::Cell::inverse))
    });
    terminal.press(" ");
    terminal.until_it_has("FROZEN");
    service.have_it("hold later");
    terminal.press("w");
    terminal.until_it_has("1  cells/2f1c, held by ");
    terminal.until_it_has("Esc back");
    terminal.press("w");
    terminal.until_it_has("FROZEN");
    terminal.press("p");
    terminal.until_it_has("waiter-seconds");
    terminal.press("\x1b");
    terminal.until_it_has("FROZEN");
    terminal.press(" ");
    terminal.until_it_has("cells/later");
    terminal.press("q");
    assert_eq!(terminal.end().0, 0);
}

#[test]
fn terminal_is_left_as_it_was_by_whatever_ends_it() {
    let directory = Directory::new();
    let service = Service::start(&directory);
    let script = "cd \"$LOCKUTILS_DIR\"; stty -a > before; echo above; lockutils top; echo after $?
                  stty -a > after; cmp before after && echo the same";
    let mut command = shell(&directory, script);
    command.env("XDG_RUNTIME_DIR", &*directory);
    let mut service = Some(service);
    for end in ["q", "\x03", "service"] {
        let mut terminal = Terminal::start(&command);
        terminal.until("a screen of its own", Screen::alternate_screen);
        terminal.until_it_has("nobody holds a lock");
        if end == "service" {
            drop(service.take());
        } else {
            terminal.press(end);
        }
        let (_, screen) = terminal.end();
        assert!(is_as_it_was(screen), "{end:?}");
        let contents = screen.contents();
        assert!(contents.starts_with("above\n"), "{contents}");
        assert!(
            contents.trim_end().ends_with("after 0\nthe same"),
            "{contents}"
        );
        assert_eq!(
            contents.contains("has ended"),
            end == "service",
            "{contents}"
        );
    }
}

#[test]
fn signal_leaves_the_terminal_as_it_was() {
    let directory = Directory::new();
    let _service = Service::start(&directory);
    let mut terminal = look(&directory, ["top"]);
    terminal.until_it_has("nobody holds a lock");
    terminal.signal(Signal::TERM);
    let (code, screen) = terminal.end();
    assert_eq!(code, 0);
    assert!(is_as_it_was(screen));
}

/// A small one shows less, and one of no size says nothing of its size.
#[test]
fn terminal_may_have_any_size() {
    let directory = Directory::new();
    let _service = stuck(&directory);
    for (size, part) in [
        ("rows 24 cols 80", "cells/2f1c"),
        ("rows 10 cols 30", "cells/9a"),
        ("rows 0 cols 0", "cells/2f1c"),
        ("rows 5 cols 12", "it-"),
        ("rows 1 cols 1", ""),
    ] {
        let mut command = shell(
            &directory,
            &format!("stty {size}; lockutils top; echo after $?"),
        );
        command.env("XDG_RUNTIME_DIR", &*directory);
        let mut terminal = Terminal::start(&command);
        terminal.until("a screen of its own", Screen::alternate_screen);
        if !part.is_empty() {
            terminal.until_it_has(part);
        }
        terminal.press("\r");
        terminal.press("w");
        terminal.press("q");
        let (_, screen) = terminal.end();
        let contents = screen.contents();
        assert!(
            is_as_it_was(screen) && contents.contains("after 0"),
            "{size}: {contents}"
        );
    }
}

#[test]
fn colour_is_there_unless_it_is_not_wanted() {
    let directory = Directory::new();
    let _service = stuck(&directory);
    for (no_color, wanted) in [("", Color::Idx(1)), ("1", Color::Default)] {
        let mut command = looking(&directory, ["top"]);
        command.env("NO_COLOR", no_color);
        let mut terminal = Terminal::start(&command);
        terminal.until("a sign, and maybe a colour", |screen| {
            let rows = screen.contents();
            let row = rows.lines().position(|line| line.starts_with('!'));
            let row = row.and_then(|row| u16::try_from(row).ok());
            let cell = row.and_then(|row| screen.cell(row, 0));
            cell.is_some_and(|cell| cell.fgcolor() == wanted)
        });
        terminal.press("q");
        assert_eq!(terminal.end().0, 0);
    }
}

#[test]
fn without_a_terminal_it_is_one_table() {
    let directory = Directory::new();
    let _service = stuck(&directory);
    let done = done(&mut looking(&directory, ["top"]));
    assert_eq!((done.code, &*done.err), (Some(0), ""));
    assert!(done.out.starts_with("locks in it-"), "{}", done.out);
    assert!(
        done.out.contains(" cells/2f1c ") && done.out.contains("WAITERS"),
        "{}",
        done.out
    );
    assert!(!done.out.contains('\u{1b}'), "{}", done.out);
}
