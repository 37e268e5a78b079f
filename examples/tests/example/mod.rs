//! An example, run as its users run it.
//!
//! Cargo builds the examples of a package before it runs the package's tests, and puts
//! them beside the folder that the tests are in.

use std::env;
use std::process::Command;

/// The program of an example, without arguments.
pub(crate) fn example(name: &str) -> Command {
    let test = env::current_exe().expect("a test knows its own file");
    let target = test.ancestors().nth(2).expect("it is in `deps`");
    let example = target
        .join("examples")
        .join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(
        example.exists(),
        "`{}` is missing; build it with `cargo build -p lockutils-examples --examples`",
        example.display()
    );
    Command::new(example)
}
