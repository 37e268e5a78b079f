//! The arguments that there are, and what to say of others.

/// The arguments that have a name.
pub(crate) const NAMES: [&str; 14] = [
    "key",
    "keys",
    "locks",
    "external",
    "shared",
    "acquire_timeout",
    "nonblocking",
    "or_else",
    "when",
    "guard",
    "cancel_on_loss",
    "reentrant",
    "skip",
    "crate",
];

/// What other libraries' locks are told at this place, and where it is said here.
pub(crate) const ELSEWHERE: [(&[&str], &str); 13] = [
    (
        &["fair"],
        "it is the space's: `locks = SPACE`, made by `Locks::new(\"..\").fair()`",
    ),
    (
        &[
            "permits",
            "max",
            "limit",
            "semaphore",
            "semaphores",
            "concurrency",
        ],
        "how many may hold a key is the space's: `locks = SPACE`, made by `Locks::new(\"..\").permits(4)`",
    ),
    (
        &["lock_path", "path", "dir", "directory"],
        "the directory is the space's: `locks = SPACE`, made by `FileLocks::new(\"..\")`",
    ),
    (
        &["lock_file_prefix", "prefix"],
        "it is the space's: `locks = SPACE`, made by `FileLocks::new(\"..\").prefix(\"..\")`",
    ),
    (&["name"], "write `key = ..`"),
    (
        &["timeout"],
        "write `acquire_timeout = ..`, which bounds the wait and not the body",
    ),
    (
        &["ttl", "lease", "expires"],
        "the lock is held until the body ends; to bound the wait write `acquire_timeout = ..`",
    ),
    (
        &["exclusive", "write"],
        "remove it, since a hold is exclusive unless it is `shared`",
    ),
    (&["read"], "write `shared`"),
    (
        &["try_lock", "try", "wait", "no_wait", "nowait"],
        "write `nonblocking` to fail at once, and nothing to wait",
    ),
    (&["space"], "write `locks = ..`"),
    (
        &["on_error", "error", "default", "fallback", "otherwise"],
        "write `or_else = |error| ..`",
    ),
    (&["condition", "only_if"], "write `when = ..`"),
];

/// Arguments that contradict each other, and what to do.
pub(crate) const EXCLUSIVE: [(&str, &str, &str); 5] = [
    ("key", "keys", "put all keys into `keys`"),
    (
        "locks",
        "external",
        "`external` names the space of lock files; for another one keep `locks` alone",
    ),
    (
        "acquire_timeout",
        "nonblocking",
        "remove `nonblocking` to wait, or `acquire_timeout` to give up at once",
    ),
    (
        "guard",
        "when",
        "where `when` is false there is no guard; take the lock in the body, by hand",
    ),
    (
        "keys",
        "reentrant",
        "let the outermost function take all keys, or take one key here",
    ),
];
