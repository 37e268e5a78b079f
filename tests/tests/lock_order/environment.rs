//! What the environment says, in processes of their own.

use lockutils::Locks;
use lockutils::observe::{LockOrderAction, lock_order};
use std::env;
use std::process::{Command, Output};

/// Set in a child.
const CHILD: &str = "LOCKUTILS_TESTS_CHILD";

static A: Locks = Locks::new("a of a child");
static B: Locks = Locks::new("b of a child");

/// What the children run: nothing in the parent.
#[test]
fn child() {
    let Some(child) = env::var_os(CHILD) else {
        return;
    };
    if child == "off" {
        lock_order(LockOrderAction::Off);
    }
    {
        let _a = A.key(1).lock();
        let _b = B.key(1).lock();
    }
    let _b = B.key(1).lock();
    let _a = A.key(1).lock();
}

fn run(child: &str, value: &str) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "environment::child", "--nocapture"]);
    command.env(CHILD, child).env("LOCKUTILS_LOCK_ORDER", value);
    command.output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const HEADLINE: &str = "lockutils: locks are taken in two orders, which will deadlock one day:\n";

#[test]
fn one_reports_to_standard_error() {
    let output = run("on", "1");
    assert!(output.status.success());
    assert_eq!(errors(&output).matches(HEADLINE).count(), 1, "{output:?}");
}

#[test]
fn panic_panics() {
    let output = run("on", "panic");
    assert!(!output.status.success());
    let errors = errors(&output);
    assert_eq!(errors.matches(HEADLINE).count(), 1, "{errors}");
    // Where the program asks for the lock.
    let here = format!("panicked at {}:", file!());
    assert!(errors.contains(&here), "{errors}");
}

#[test]
fn zero_and_nothing_are_off() {
    for value in ["", "0"] {
        let output = run("on", value);
        assert!(output.status.success());
        assert!(!errors(&output).contains("lockutils"), "{output:?}");
    }
}

#[test]
fn other_values_are_told_once() {
    let output = run("on", "yes");
    assert!(output.status.success());
    let expected = "lockutils: `LOCKUTILS_LOCK_ORDER` is to be 0, 1 or panic, and is \"yes\": \
                    the order of locks is not looked at\n";
    assert!(errors(&output).contains(expected), "{output:?}");
    assert_eq!(
        errors(&output).matches("lockutils").count(),
        1,
        "{output:?}"
    );
}

#[test]
fn program_has_the_last_word() {
    let output = run("off", "panic");
    assert!(output.status.success(), "{output:?}");
}
