//! Every type that is a key.
#![deny(warnings)]

use lockutils::{Key, KeyWriter, LockKey, is_locked, synchronized};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

macro_rules! keys {
    ($($name:ident: $ty:ty = $value:expr, $text:expr;)*) => {
        $(
            #[synchronized(key = key)]
            fn $name(key: $ty, text: &str) {
                assert!(is_locked(text));
            }
        )*

        fn main() {
            $($name($value, $text);)*
        }
    };
}

keys! {
    str_: &str = "a", "a";
    string: String = "a".into(), "a";
    string_reference: &String = &"a".into(), "a";
    mutable_reference: &mut String = &mut "a".into(), "a";
    cow: Cow<'_, str> = "a".into(), "a";
    char_: char = 'a', "a";
    bool_: bool = true, "true";
    integer: i64 = -7, "-7";
    wide: u128 = 7, "7";
    non_zero: NonZeroU64 = NonZeroU64::MIN, "1";
    boxed: Box<str> = "a".into(), "a";
    rc: Rc<str> = "a".into(), "a";
    arc: Arc<String> = Arc::new("a".into()), "a";
    pair: (&str, u32) = ("vm", 7), "vm/7";
    nested: ((&str, u32), char) = (("a", 1), 'b'), "a%2F1/b";
    eight: (u8, u8, u8, u8, u8, u8, u8, u8) = (1, 2, 3, 4, 5, 6, 7, 8), "1/2/3/4/5/6/7/8";
    path: &Path = Path::new("/a"), "/a";
    path_buf: PathBuf = "/a".into(), "/a";
    os_str: &OsStr = OsStr::new("a"), "a";
    os_string: OsString = "a".into(), "a";
    address: IpAddr = IpAddr::from([127, 0, 0, 1]), "127.0.0.1";
    arguments: fmt::Arguments<'_> = format_args!("a"), "a";
    object: &dyn LockKey = &"a", "a";
    ready: Key = Key::new("a"), "a";
    of_ones_own: Uuid = Uuid(255), "ff";
}

struct Uuid(u32);

impl LockKey for Uuid {
    fn write_key(&self, out: &mut KeyWriter) {
        use std::fmt::Write as _;
        write!(out, "{:x}", self.0).unwrap();
    }
}
