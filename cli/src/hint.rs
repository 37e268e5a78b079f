//! The hint for those who have forgotten the two hyphens before a command.

use std::ffi::OsString;

/// How to write it, for those who write it as `flock` and `env` have it.
pub(crate) fn of(words: &[OsString]) -> Option<String> {
    let (subcommand, rest) = words.split_first()?;
    let keys = match subcommand.to_str()? {
        "run" => 1,
        "wrap" => 0,
        _ => return None,
    };
    let is_plain = |word: &OsString| !word.to_string_lossy().starts_with('-');
    // It can have a password.
    let is_url = |word: &OsString| word.to_string_lossy().contains("://");
    if rest.len() <= keys || rest.iter().any(|word| word == "--") {
        return None;
    }
    let example = if rest[..=keys].iter().all(is_plain) && !rest.iter().any(is_url) {
        let quoted = |word: &OsString| shown(&word.to_string_lossy());
        let (keys, command) = rest.split_at(keys);
        let keys: Vec<_> = keys.iter().map(quoted).collect();
        let command: Vec<_> = command.iter().map(quoted).collect();
        [keys, vec!["--".to_owned()], command].concat().join(" ")
    } else if keys == 0 {
        "-- cargo test".to_owned()
    } else {
        "backup -- rsync -a /home /backup".to_owned()
    };
    let subcommand = subcommand.to_string_lossy();
    Some(format!(
        "the command comes after `--`: `lockutils {subcommand} {example}`"
    ))
}

/// A word as it is typed in a shell.
fn shown(word: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || "-_./:=@%+,".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!(
        "'{}'",
        word.escape_debug().to_string().replace('\'', "'\\''")
    )
}
