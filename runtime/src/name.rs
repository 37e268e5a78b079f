//! What locks are called, for people.

use crate::key::Key;
use crate::site::Site;
use crate::sync::ambient::Mutex;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;

/// What is shown of keys to those who attach to the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "inspect"),
    expect(unreachable_pub, reason = "nobody can attach")
)]
pub enum Keys {
    /// The keys.
    #[default]
    Plain,
    /// Of each key a number, as `#5d0c97f4e2b1a836`: the same for as long as the process runs, and
    /// another one in the next. For keys that are personal data.
    #[cfg_attr(
        not(feature = "inspect"),
        expect(dead_code, reason = "nobody can attach")
    )]
    Hashed,
}

impl Keys {
    /// What is shown of a key.
    pub(crate) fn shown(self, key: &Key) -> Key {
        // Nobody else knows the seed, so nobody can try whose key it is.
        static SEED: OnceLock<RandomState> = OnceLock::new();
        match self {
            Self::Plain => key.clone(),
            Self::Hashed => {
                let seed = SEED.get_or_init(RandomState::new);
                Key::new(format!("#{:016x}", seed.hash_one(key.as_bytes())))
            }
        }
    }
}

/// A lock as texts name it: `"cells/2f1c"`, or `"cells"` where the key is empty.
pub(crate) struct LockName<'a> {
    pub(crate) space: &'a str,
    pub(crate) key: &'a Key,
}

impl fmt::Display for LockName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // So that no key can pretend to be another, or another line; nor can a space, which can have a prefix that
        // was made of what somebody typed.
        let space = self.space.escape_debug();
        let key = self.key.as_str().escape_debug();
        if self.key.as_bytes().is_empty() {
            write!(f, "\"{space}\"")
        } else {
            write!(f, "\"{space}/{key}\"")
        }
    }
}

/// A lock as reports name it: `cells/2f1c`, and in quotes where it could be taken for more.
pub(crate) struct PlainName<'a> {
    pub(crate) space: &'a str,
    pub(crate) key: &'a Key,
}

impl fmt::Display for PlainName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { space, key } = *self;
        let text = key.as_str();
        let is_plain = |char: char| char.is_alphanumeric() || "-_./:@%+=#~".contains(char);
        if text.is_empty() || ![space, text].iter().all(|text| text.chars().all(is_plain)) {
            return LockName { space, key }.fmt(f);
        }
        write!(f, "{space}/{text}")
    }
}

/// A lock that is held or waited for, and where in the code it was asked for, as `{:?}` of its
/// guard or future shows it.
#[derive(Clone)]
pub struct Taken {
    pub(crate) space: &'static str,
    pub(crate) key: Key,
    pub(crate) site: Site,
}

/// Shows a guard or a future by its locks.
pub(crate) fn describe(f: &mut fmt::Formatter<'_>, name: &str, locks: &[Taken]) -> fmt::Result {
    match locks {
        [lock] => lock.describe(f, name),
        _ => f.debug_struct(name).field("locks", &locks).finish(),
    }
}

impl Taken {
    fn describe(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        let Self { space, key, site } = self;
        f.debug_struct(name)
            .field("space", space)
            .field("key", key)
            .field("site", &format_args!("{site}"))
            .finish()
    }
}

impl fmt::Debug for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe(f, "Lock")
    }
}

/// Text that stays, each once, for who has no more than a string at run time: such as what an
/// engine is called, see [`Engine::name`](crate::engine::Engine::name). Its memory is never given
/// back, so it is for names of spaces, and not of keys.
///
/// # Examples
///
/// ```
/// use lockutils::engine::remember;
///
/// let name: &'static str = remember(format!("tenant-{}", 7));
/// assert_eq!(name, "tenant-7");
/// ```
#[must_use]
pub fn remember(text: String) -> &'static str {
    // In order.
    static TEXTS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
    let mut texts = TEXTS.lock();
    match texts.binary_search(&&*text) {
        Ok(known) => texts[known],
        Err(place) => {
            let text = text.leak();
            texts.insert(place, text);
            text
        }
    }
}
