//! Traits with types, constants, generics of their own and `Self`.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{LockKey, is_locked, synchronized};

trait Store: Sized {
    type Key: LockKey;
    type Item<'a>: AsRef<str>
    where
        Self: 'a;
    const NAME: &'static str;

    fn key(&self) -> Self::Key;
    fn item(&self) -> Self::Item<'_>;

    #[synchronized(key = (Self::NAME, self.key()))]
    fn provided(&self) -> Option<Self::Item<'_>> {
        is_locked((Self::NAME, self.key())).then(|| self.item())
    }

    #[synchronized(key = Self::NAME)]
    fn build<T>(make: impl FnOnce(&'static str) -> T) -> (T, bool)
    where
        T: Clone,
    {
        (make(Self::NAME), is_locked(Self::NAME))
    }

    #[synchronized(key = <Self as Store>::NAME)]
    async fn consume(self) -> Self::Key {
        self.key()
    }
}

struct Text(String);

impl Store for Text {
    type Key = usize;
    type Item<'a> = &'a str;
    const NAME: &'static str = "text";


    fn key(&self) -> Self::Key {
        self.0.len()
    }

    #[synchronized(key = Self::NAME)]
    fn item(&self) -> Self::Item<'_> {
        &self.0
    }
}

fn main() {
    let text = Text("ab".into());
    assert_eq!(text.provided(), Some("ab"));
    assert_eq!(Text::build(str::len), (4, true));
    assert_eq!(block_on(text.consume()), 2);
}
