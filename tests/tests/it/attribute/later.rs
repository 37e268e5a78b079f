//! Functions that make a future behind some statements: what the attribute names is what the
//! caller gave, whatever the statements declare or change.

use lockutils::{Error, Locks, is_locked, synchronized};
use pollster::block_on;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

const NAME: &str = "later::outside";
static OUTSIDE: Locks = Locks::new("later::outside");

fn name() -> &'static str {
    NAME
}

macro_rules! name {
    () => {
        NAME
    };
}

mod other {
    pub(super) const NAME: &str = "later::imported";
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[test]
fn key_is_the_argument_where_a_local_has_its_name() {
    #[synchronized(key = id)]
    fn block(id: u32) -> impl Future<Output = [bool; 2]> {
        let id = id * 100;
        async move { [31_007, id].map(is_locked) }
    }
    #[synchronized(key = ("later", id))]
    fn boxed(id: u32) -> Boxed<'static, [bool; 2]> {
        let id = id * 100;
        Box::pin(async move { [31_007, id].map(|id| is_locked(("later", id))) })
    }
    #[synchronized("later-{id}")]
    fn captured(id: u32) -> impl Future<Output = [bool; 2]> {
        let (id, hundred) = (id * 100, 100);
        assert_eq!(id % hundred, 0);
        async move { [31_007, id].map(|id| is_locked(format_args!("later-{id}"))) }
    }
    #[synchronized(keys = [id, id + 1])]
    fn several(id: u32) -> impl Future<Output = [bool; 2]> {
        let id = id * 100;
        async move { [is_locked(31_007) && is_locked(31_008), is_locked(id)] }
    }
    assert_eq!(block_on(block(31_007)), [true, false]);
    assert_eq!(block_on(boxed(31_007)), [true, false]);
    assert_eq!(block_on(captured(31_007)), [true, false]);
    assert_eq!(block_on(several(31_007)), [true, false]);
}

#[test]
fn key_is_the_argument_as_it_was() {
    #[synchronized(key = id)]
    fn changed(mut id: u32) -> impl Future<Output = [bool; 2]> {
        id *= 100;
        async move { [31_007, id].map(is_locked) }
    }
    #[synchronized(key = name)]
    fn moved(name: String) -> impl Future<Output = bool> {
        let owned = name;
        async move { is_locked(owned) }
    }
    /// The future borrows nothing.
    #[synchronized(key = name)]
    fn copied(name: &str) -> Boxed<'static, bool> {
        let name = name.to_owned();
        Box::pin(async move { is_locked(name) })
    }
    assert_eq!(block_on(changed(31_007)), [true, false]);
    assert!(block_on(moved("later::moved".into())));
    let future = copied(&String::from("later::copied"));
    assert!(!is_locked("later::copied"));
    assert!(block_on(future));
}

#[test]
fn items_of_the_body_are_not_seen() {
    #[synchronized(key = NAME)]
    fn constant() -> impl Future<Output = bool> {
        #[allow(dead_code, reason = "that is what it is here for")]
        const NAME: &str = "later::inside";
        async { is_locked("later::outside") }
    }
    #[synchronized(key = NAME)]
    fn import() -> impl Future<Output = bool> {
        #[allow(unused_imports, reason = "that is what it is here for")]
        use other::*;
        async { is_locked("later::outside") && !is_locked(other::NAME) }
    }
    #[synchronized(key = name())]
    fn function() -> impl Future<Output = bool> {
        #[allow(dead_code, reason = "that is what it is here for")]
        fn name() -> &'static str {
            "later::inside"
        }
        async { is_locked("later::outside") }
    }
    #[synchronized(key = name!())]
    fn macro_call() -> impl Future<Output = bool> {
        #[allow(unused_macros, reason = "that is what it is here for")]
        macro_rules! name {
            () => {
                "later::inside"
            };
        }
        async { is_locked("later::outside") }
    }
    assert!(block_on(constant()) && block_on(import()));
    assert!(block_on(function()) && block_on(macro_call()));
}

#[test]
fn space_is_the_one_outside() {
    static VMS: Locks = Locks::new("later::vms");

    #[synchronized("later", locks = OUTSIDE)]
    fn in_a_static() -> impl Future<Output = bool> {
        #[allow(dead_code, reason = "that is what it is here for")]
        static OUTSIDE: Locks = Locks::new("later::inside");
        async { self::OUTSIDE.key("later").is_locked() }
    }
    #[synchronized("later", locks = space)]
    fn in_an_argument(space: &Locks) -> impl Future<Output = bool> {
        let space = &OUTSIDE;
        async move { VMS.key("later").is_locked() && !space.key("later").is_locked() }
    }
    #[synchronized(keys = [1, 2], locks = space)]
    fn several(space: &Locks) -> impl Future<Output = bool> {
        let space = &OUTSIDE;
        async move { VMS.key(1).is_locked() && !space.key(1).is_locked() }
    }
    assert!(block_on(in_a_static()));
    assert!(block_on(in_an_argument(&VMS)));
    assert!(block_on(several(&VMS)));
}

struct Vm {
    locks: Locks,
    starts: u32,
}

impl Vm {
    #[synchronized("later", locks = self.locks)]
    fn start(&mut self) -> Boxed<'_, bool> {
        self.starts += 1;
        Box::pin(async move {
            self.starts += 1;
            self.locks.key("later").is_locked()
        })
    }

    #[synchronized("later", locks = self.locks)]
    fn stop(self: Arc<Self>) -> Boxed<'static, bool> {
        let starts = self.starts;
        Box::pin(async move { starts == 2 && self.locks.key("later").is_locked() })
    }
}

#[test]
fn space_may_be_a_field_of_what_the_future_takes() {
    let mut vm = Vm {
        locks: Locks::new("later::field"),
        starts: 0,
    };
    assert!(block_on(vm.start()));
    assert!(block_on(Arc::new(vm).stop()));
}

#[test]
fn other_arguments_are_evaluated_ahead_too() {
    #[synchronized("later::when", when = locks)]
    fn when(locks: bool) -> impl Future<Output = bool> {
        let locks = !locks;
        async move { is_locked("later::when") && !locks }
    }
    #[synchronized(key = name.unwrap(), when = name.is_some())]
    fn unless(name: Option<&str>) -> impl Future<Output = bool> {
        let name = name.is_none().then_some("later::none");
        async move { name.is_none() || !is_locked("later::none") }
    }
    #[synchronized("later::busy", acquire_timeout = patience, or_else = |error| (error.to_string(), text))]
    fn or_else(patience: Duration, text: &str) -> impl Future<Output = (String, &str)> {
        let (patience, text) = (Duration::MAX, "inside");
        async move { (format!("{patience:?}"), text) }
    }
    #[synchronized("later::busy", acquire_timeout = patience, when = !patience.is_zero())]
    fn all(patience: Duration) -> impl Future<Output = Result<bool, Error>> {
        let patience = Duration::MAX;
        async move { Ok(patience.is_zero()) }
    }
    assert!(block_on(when(true)) && !block_on(when(false)));
    assert!(block_on(unless(Some("later::some"))) && block_on(unless(None)));
    block_on(async {
        let busy = lockutils::lock_async("later::busy").await;
        let (message, text) = or_else(Duration::from_nanos(1), "outside").await;
        assert!(message.starts_with("timed out after"), "{message}");
        assert_eq!(text, "outside");
        assert!(all(Duration::from_nanos(1)).await.is_err());
        assert!(!all(Duration::ZERO).await.unwrap());
        drop(busy);
    });
}
