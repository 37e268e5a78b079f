//! `lockutils run` at a terminal.

use crate::pty::Terminal;
use crate::{code, holding, lockutils, prepared, shell, until_it_reads, until_its_state_is};
use lockutils_tests::Directory;
use rustix::process::Signal;

#[test]
fn line_says_for_whom_one_waits_and_is_gone_afterwards() {
    let directory = Directory::new();
    let mut holder = holding(&directory, &["key"]);
    let args = ["run", "key", "--", "sh", "-c", "echo inside; read line"];
    let mut terminal = Terminal::start(&lockutils(&directory, args));
    let line = format!("for lock \"key\", held by process {} (", holder.id());
    terminal.until_it_has("waiting for ");
    terminal.until_it_has(&line);
    terminal.until_it_has("(sh -c echo held; read line)");
    terminal.until("it is kept up to date", |screen| {
        let contents = screen.contents();
        contents.contains("waiting for ") && !contents.contains("waiting for 0s ")
    });
    holder.tell("");
    terminal.until_it_has("inside");
    terminal.until("it is gone", |screen| {
        screen.contents().trim_end() == "inside"
    });
    terminal.press("\n");
    assert_eq!(terminal.end().0, 0);
}

/// Another session may have another one, and would not wait.
#[test]
fn directory_that_nobody_has_named_is_said() {
    let directory = Directory::new();
    let runtime = directory.join("runtime");
    std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700)
        .create(&runtime)
        .unwrap();
    let line = format!("lock files in {:?}", runtime.join("lockutils/"));
    let run = |args: &[&str], is_named: bool| {
        let mut command = lockutils(
            &directory,
            [&["run"], args, &["key", "--", "true"]].concat(),
        );
        command.env("XDG_RUNTIME_DIR", &runtime);
        if !is_named {
            command.env_remove("LOCKUTILS_DIR");
        }
        let mut terminal = Terminal::start(&command);
        let (code, screen) = terminal.end();
        assert_eq!(code, 0);
        screen.contents().contains(&line)
    };
    assert!(run(&[], false));
    assert!(!run(&["--quiet"], false));
    assert!(!run(&[], true));
    assert!(!run(&["--dir", directory.to_str().unwrap()], false));
}

#[test]
fn line_is_gone_when_one_gives_up() {
    let directory = Directory::new();
    let _holder = holding(&directory, &["key"]);
    let args = ["run", "--timeout", "50ms", "key", "--", "true"];
    let mut terminal = Terminal::start(&lockutils(&directory, args));
    let (code, screen) = terminal.end();
    assert_eq!(code, 75);
    let contents = screen.contents();
    assert!(
        contents.starts_with("lockutils: timed out after "),
        "{contents}"
    );
    assert!(!contents.contains("for lock \"key\""), "{contents}");
    assert!(terminal.has_had("for lock \"key\""));
}

/// Not for the one that this process holds already.
#[test]
fn line_is_about_the_lock_that_is_in_the_way() {
    let directory = Directory::new();
    let _holder = holding(&directory, &["b"]);
    let args = ["run", "a", "b", "--", "true"];
    let mut terminal = Terminal::start(&lockutils(&directory, args));
    terminal.until("it has the first and waits for the second", |screen| {
        let contents = screen.contents();
        contents.contains("for lock \"b\", held by process ") && !contents.contains("for 0s for")
    });
}

#[test]
fn quiet_has_no_line() {
    let directory = Directory::new();
    let _holder = holding(&directory, &["key"]);
    let args = ["run", "-q", "--timeout", "50ms", "key", "--", "true"];
    let mut terminal = Terminal::start(&lockutils(&directory, args));
    let (code, screen) = terminal.end();
    assert_eq!((code, &*screen.contents()), (75, ""));
    assert!(!terminal.has_had("waiting"));
}

/// The terminal has given it to the command already; and the status is the command's.
#[test]
fn ctrl_c_comes_to_the_command_once() {
    let directory = Directory::new();
    let script = "count=0; trap 'count=$((count + 1)); echo got $count' INT
                  trap 'echo end $count; exit 5' USR1
                  echo $$ > $LOCKUTILS_DIR/pid; echo ready; while kill -0 $PPID; do read line; done";
    let args = ["run", "key", "--", "sh", "-c", script];
    let mut terminal = Terminal::start(&lockutils(&directory, args));
    terminal.until_it_has("ready");
    until_it_reads(&directory);
    // So that one which is passed on comes later, and not at the same time.
    terminal.stop();
    terminal.press("\x03");
    terminal.until_it_has("got 1");
    until_it_reads(&directory);
    terminal.signal(Signal::CONT);
    // Before this it would be passed on.
    terminal.signal(Signal::USR1);
    terminal.until_it_has("end 1");
    assert_eq!(terminal.end().0, 5);
}

#[test]
fn ctrl_c_ends_the_command_and_with_it_the_lock() {
    let directory = Directory::new();
    let args = ["run", "key", "--", "sh", "-c", "echo ready; read line"];
    let mut terminal = Terminal::start(&lockutils(&directory, args));
    terminal.until_it_has("ready");
    terminal.press("\x03");
    assert_eq!(terminal.end().0, 130);
    let again = ["run", "-n", "key", "--", "true"];
    assert_eq!(code(&mut lockutils(&directory, again)), 0);
}

#[test]
fn command_can_be_stopped_and_go_on() {
    let directory = Directory::new();
    let mut bash = prepared("bash", &directory);
    let script = "trap 'echo continued' CONT; echo $$ > $LOCKUTILS_DIR/pid; echo started
                  until read line; do kill -0 $PPID || exit; done; echo it was $line";
    std::fs::write(directory.join("script"), script).unwrap();
    bash.args(["--norc", "--noprofile", "-i"]).env("PS1", "$ ");
    let mut terminal = Terminal::start(&bash);
    terminal.until_it_has("$ ");
    terminal.press("lockutils run key -- sh $LOCKUTILS_DIR/script\n");
    terminal.until_it_has("started");
    until_it_reads(&directory);
    terminal.press("\x1a");
    terminal.until_it_has("Stopped");
    // The shell waits for `lockutils` alone: the script may be about to stop, and would read what is typed.
    until_its_state_is(b'T', &directory);
    until_it_asks(&mut terminal);
    // Who is stopped has its lock.
    terminal.press("lockutils run -q -n key -- true; echo the status is $?\n");
    terminal.until_it_has("the status is 75");
    until_it_asks(&mut terminal);
    terminal.press("fg\n");
    // Only then is the terminal the command's again.
    terminal.until_it_has("continued");
    terminal.press("typed\n");
    terminal.until_it_has("it was typed");
    until_it_asks(&mut terminal);
    terminal.press("lockutils run -q -n key -- true; echo now it is $?\n");
    terminal.until_it_has("now it is 0");
    until_it_asks(&mut terminal);
    terminal.press("exit\n");
    assert_eq!(terminal.end().0, 0);
}

/// Waits for the shell's prompt: what is typed before it can get lost, while the shell takes the
/// terminal back from a command.
fn until_it_asks(terminal: &mut Terminal) {
    terminal.until("the shell asks", |screen| {
        screen.contents().trim_end().ends_with("\n$")
    });
}

/// Standard output is not what decides, and nothing of the line gets into it.
#[test]
fn line_is_not_in_the_output() {
    let directory = Directory::new();
    let mut holder = holding(&directory, &["key"]);
    let script = "lockutils run key -- echo inside > \"$LOCKUTILS_DIR/out\"; echo done";
    let mut terminal = Terminal::start(&shell(&directory, script));
    terminal.until_it_has("waiting for ");
    holder.tell("");
    terminal.until_it_has("done");
    let out = std::fs::read_to_string(directory.join("out")).unwrap();
    assert_eq!(out, "inside\n");
}
