//! The attribute `#[synchronized]`; use it through the crate `lockutils`.

#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod args;
mod block;
mod bounds;
mod cancel;
mod errors;
mod expand;
mod format;
mod function;
mod future;
mod item;
mod key;
mod lazy;
mod legal;
mod literal;
mod lock;
mod names;
mod pipeline;
mod shape;
#[cfg(test)]
mod soup;
mod span;
mod spelling;
#[cfg(test)]
mod tests;
mod timeout;
mod validate;

/// Lets a function run only once at a time for each key.
///
/// Stands above a function with a body, sync or async: a free function, a method, a
/// trait method with a default body or a method of a trait impl; or above an `impl`
/// block, for its methods. The function takes the lock of its key, waits for it if
/// somebody has it, runs its body, and releases the lock. All functions that name the
/// same key exclude each other, between threads and tasks, also sync and async ones.
///
/// ```
/// use lockutils::synchronized;
///
/// struct Cell { uuid: String }
///
/// #[synchronized(key = cell.uuid)]
/// fn connect(cell: &Cell) -> String {
///     // No other caller is in here for this cell.
///     format!("connected to {}", cell.uuid)
/// }
///
/// #[synchronized(key = cell.uuid)]
/// async fn disconnect(cell: &Cell) {
///     // Nor is one in `connect`, as the key is the same.
/// }
///
/// let cell = Cell { uuid: "2f1c".into() };
/// assert_eq!(connect(&cell), "connected to 2f1c");
/// # futures::executor::block_on(disconnect(&cell));
/// ```
///
/// # Arguments
///
/// | argument | meaning |
/// |---|---|
/// | none | the function's own lock |
/// | `"text"` | this key; as the first argument only |
/// | `"vm-{id}"` | this key, with the arguments captured as `format!` does |
/// | `key = EXPR` | the key: any expression whose type implements `LockKey` |
/// | `keys = EXPR` | several keys, taken together: anything that `for` takes |
/// | `locks = EXPR` | the lock space that the key means something in |
/// | `external` | the process-wide space of lock files, whose locks exclude other processes too |
/// | `shared` | a shared hold, together with other shared holders |
/// | `acquire_timeout = EXPR` | for how long to wait: a `Duration`, or a text such as `"5s"` |
/// | `nonblocking` | fail at once where the lock is busy |
/// | `or_else = EXPR` | what to return where the lock was not taken |
/// | `when = EXPR` | a `bool`; where it is false, the body runs without a lock |
/// | `guard = NAME` | a name for the guard, for the body to use |
/// | `cancel_on_loss` | the body of an async function is dropped when its lock is lost |
/// | `reentrant` | a thread that holds the key already goes straight in |
/// | `crate = PATH` | where the crate `lockutils` is; by default `::lockutils` |
///
/// The expressions see the arguments and `self`, and nothing that the body declares. They may
/// use `?`, which returns from the function without the lock, and in an async function
/// `.await`. Each is evaluated once, before the function waits, in this order: `when`,
/// `acquire_timeout`, `keys`, `locks`, `key`.
///
/// ## No argument
///
/// The function has one lock of its own, whatever its generic arguments are and
/// whatever object it is called on.
///
/// ```
/// # use lockutils::synchronized;
/// #[synchronized]
/// fn rotate_logs() {
///     let locks = lockutils::snapshot();
///     assert!(locks.iter().any(|lock| lock.space.ends_with("::rotate_logs")));
/// }
/// # rotate_logs();
/// ```
///
/// ## A text
///
/// The literal is the key, or `key = "text"`. With `{name}` in it, it captures
/// arguments of the function; `{{` is a brace. It captures names alone: for any other
/// value write `key = format_args!("vm-{}", vm.id)`. A literal inside of a tuple or a list
/// captures nothing.
///
/// ```
/// # use lockutils::{is_locked, synchronized};
/// #[synchronized("migrations")]
/// fn migrate() {
///     assert!(is_locked("migrations"));
/// }
///
/// #[synchronized("vm-{id}")]
/// fn start(id: u32) {
///     assert!(is_locked("vm-7"));
/// }
/// # migrate();
/// # start(7);
/// ```
///
/// ## `key = EXPR`
///
/// Strings, integers, paths, tuples of these and more are keys; the trait `LockKey`
/// lists them. The expression is evaluated by reference, so the arguments stay usable.
///
/// ```
/// # use lockutils::{is_locked, synchronized};
/// use std::num::ParseIntError;
///
/// struct Vm { host: String, id: u32 }
///
/// impl Vm {
///     #[synchronized(key = (&self.host, self.id))]
///     fn stop(&mut self) {
///         assert!(is_locked(("node", 7)));
///     }
/// }
///
/// #[synchronized(key = id.parse::<u32>()?)]
/// fn delete(id: &str) -> Result<(), ParseIntError> {
///     assert!(is_locked(7));
///     Ok(())
/// }
/// # Vm { host: "node".into(), id: 7 }.stop();
/// # delete("007").unwrap();
/// assert!(delete("seven").is_err());
/// ```
///
/// ## `keys = EXPR`
///
/// All of the keys are held while the body runs, or none is. They are taken in one order,
/// whatever the order of the list, so that two calls can't each wait for the other; one that
/// is there twice is taken once. `&ids` keeps the list for the body. An empty list locks
/// nothing.
///
/// ```
/// # use lockutils::{is_locked, synchronized};
/// #[synchronized(keys = [from, to])]
/// fn transfer(from: u32, to: u32) {
///     assert!(is_locked(from) && is_locked(to));
/// }
/// # transfer(1, 2);
/// ```
///
/// ## `locks = EXPR`
///
/// Keys are of one process-wide space, unless this names another: a `static`, a field
/// such as `self.locks`, or any other expression for a `Locks` that lives on. A `const`,
/// or `Locks::new(..)` written here, would be a new space at each call, and exclude nobody.
///
/// ```
/// # use lockutils::synchronized;
/// use lockutils::Locks;
///
/// static VMS: Locks = Locks::new("vms");
///
/// #[synchronized(key = id, locks = VMS)]
/// fn start(id: u32) {
///     assert!(VMS.key(7).is_locked());
///     assert!(!lockutils::is_locked(7));
/// }
/// # start(7);
/// ```
///
/// ## `external`
///
/// The lock is a file, and excludes other processes of the same host as well. Which
/// directory it is in says `lockutils::file_locks`; for another one use `locks` with a
/// `FileLocks`. Such a lock can fail, so the function has a place for the error, as one with
/// `acquire_timeout` has.
///
/// ```
/// # use lockutils::synchronized;
/// #[synchronized("db-migrations", external)]
/// fn migrate() -> Result<(), lockutils::Error> {
///     assert!(lockutils::file_locks().key("db-migrations").is_locked()?);
///     Ok(())
/// }
/// # let directory = std::env::temp_dir().join(format!("lockutils-macros-{}", std::process::id()));
/// # lockutils::set_file_locks(lockutils::FileLocks::new(&directory)).unwrap();
/// # migrate().unwrap();
/// # std::fs::remove_dir_all(&directory).unwrap();
/// ```
///
/// ## `shared`
///
/// Any number of shared holders have a key at once, and an exclusive one has it alone.
///
/// ```
/// # use lockutils::synchronized;
/// #[synchronized("routes", shared)]
/// fn look_up() {
///     assert!(lockutils::global().key("routes").shared().try_lock().is_ok());
/// }
///
/// #[synchronized("routes")]
/// fn replace() {
///     assert!(lockutils::global().key("routes").shared().try_lock().is_err());
/// }
/// # look_up();
/// # replace();
/// ```
///
/// ## `acquire_timeout = EXPR`, `nonblocking`
///
/// How long to wait for the lock; the body may take as long as it likes. A text is a whole
/// number and one of `us`, `ms`, `s`, `min` and `h`, and is checked by the compiler. With
/// `nonblocking` the function doesn't wait at all; a key that the caller holds itself is
/// busy as well.
///
/// Such a lock can fail. The error is returned in place of running the body, so the function
/// returns `Result<_, E>` with `E: From<lockutils::Error>`, or has an `or_else`. The error
/// says who is in the way. `anyhow::Error`, `Box<dyn Error>` and `io::Error` are such types,
/// and so is an enum with a variant `Lock(#[from] lockutils::Error)`.
///
/// ```
/// # use lockutils::synchronized;
/// use std::time::Duration;
///
/// #[synchronized("disk", acquire_timeout = "1ms")]
/// fn resize() -> Result<(), lockutils::Error> {
///     Ok(())
/// }
///
/// #[synchronized("disk", acquire_timeout = patience)]
/// async fn snapshot(patience: Duration) -> std::io::Result<()> {
///     Ok(())
/// }
///
/// #[synchronized("disk", nonblocking)]
/// fn trim() -> Result<(), Box<dyn std::error::Error>> {
///     Ok(())
/// }
///
/// # futures::executor::block_on(async {
/// let busy = lockutils::lock_async("disk").await;
/// let text = resize().unwrap_err().to_string();
/// assert!(text.starts_with("timed out after"));
/// assert!(text.contains("waiting for lock \"global/disk\": held by"));
/// assert!(snapshot(Duration::ZERO).await.is_err());
/// assert!(trim().unwrap_err().to_string().contains("is busy"));
/// # });
/// ```
///
/// A lock that can't fail asks nothing of the return type: one in the process, that is waited
/// for until it is had.
///
/// ## `or_else = EXPR`
///
/// A path or a closure that takes the `lockutils::Error`. What it gives is returned from the
/// function.
///
/// ```
/// # use lockutils::synchronized;
/// #[synchronized("report", nonblocking, or_else = |_| "another one is at it")]
/// fn report() -> &'static str {
///     "done"
/// }
///
/// assert_eq!(report(), "done");
/// let _busy = lockutils::lock("report");
/// assert_eq!(report(), "another one is at it");
/// ```
///
/// Where the function returns `impl Trait`, as a handler of a web framework does, the closure
/// has to give the very type that the body gives. If these differ, make both one: with axum
/// `-> Response`, an `or_else = |busy| (StatusCode::CONFLICT, busy.to_string()).into_response()`
/// and an `.into_response()` at the body's end; or return `Result<impl IntoResponse, E>` with
/// `E: From<lockutils::Error>`, without an `or_else`.
///
/// ```
/// # use lockutils::synchronized;
/// # use std::fmt::Display;
/// #[synchronized("answer", nonblocking, or_else = |busy| format!("409 {busy}"))]
/// fn answer() -> impl Display {
///     format!("200 {}", 42)
/// }
/// # assert_eq!(answer().to_string(), "200 42");
/// ```
///
/// ## `when = EXPR`
///
/// Where it is false the key isn't evaluated, and the body runs without a lock.
///
/// ```
/// # use lockutils::{is_locked, synchronized};
/// #[synchronized(key = name.unwrap(), when = name.is_some())]
/// fn open(name: Option<&str>) {
///     assert_eq!(is_locked("volume"), name.is_some());
/// }
/// # open(Some("volume"));
/// # open(None);
/// ```
///
/// ## `guard = NAME`
///
/// The body has the guard under this name, to drop it early or to return it: a
/// `lockutils::Guard`, or in an async function a `lockutils::AsyncGuard`.
///
/// ```
/// # use lockutils::{is_locked, synchronized};
/// #[synchronized("cache", guard = guard)]
/// fn refresh() {
///     assert!(is_locked("cache"));
///     drop(guard);
///     assert!(!is_locked("cache"));
/// }
/// # refresh();
/// ```
///
#[doc = include_str!("loss.md")]
///
/// ## `reentrant`
///
/// A thread that takes a key it already holds would wait for itself, and so it panics, or fails
/// where the lock can. With this it goes straight in. An async function can't have it, since
/// there two branches of one `join!` can't be told from a call in a call.
///
/// ```
/// # use lockutils::synchronized;
/// #[synchronized("tree", reentrant)]
/// fn depth(levels: u32) -> u32 {
///     if levels == 0 { 0 } else { depth(levels - 1) + 1 }
/// }
/// # assert_eq!(depth(3), 3);
/// ```
///
/// ## `crate = PATH`
///
/// For a crate that knows `lockutils` under another name, or through a re-export.
///
/// ```
/// mod vendored {
///     pub use lockutils as locking;
/// }
///
/// #[vendored::locking::synchronized("a", crate = vendored::locking)]
/// fn start() {}
/// # start();
/// ```
///
/// # The lock is released
///
/// When the body is left: by its end, `return`, `?`, a panic, or because an async
/// task is cancelled. The body's locals and temporaries are dropped before that; the
/// function's arguments after. Where an argument's `Drop` has to run under the lock,
/// as a transaction's may, move it into the body: `let transaction = transaction;`.
///
/// # Functions that return a future
///
/// The lock is taken when the future runs, not when it is made, if the body ends in an
/// `async` block or in `Box::pin` of one. That is what `#[async_trait]` makes of an
/// async method, so methods of such traits can be annotated. In them the key sees `self`
/// and the arguments that are plain names; one that only the key uses draws a warning of
/// being unused, since `#[async_trait]` gives the body a copy of it.
///
/// ```
/// # use lockutils::{is_locked, synchronized};
/// #[synchronized(key = id)]
/// fn start(id: u32) -> impl Future<Output = bool> {
///     println!("this runs at the call, without the lock");
///     async move { is_locked(id) }
/// }
/// # assert!(futures::executor::block_on(start(7)));
/// ```
///
/// Statements before the block run at the call. The attribute's arguments are then evaluated at
/// the call as well, ahead of these, so that they see what the caller gave and nothing that the
/// statements declare or change; also where the future is never run. There is no `?` and no
/// `.await` in them there, and a closure of `or_else` is a `move` one. A `return` among the
/// statements doesn't compile, since it would give a future without the lock.
///
/// The future has what its key is made of inside, since it takes the lock when it runs. A
/// future that has to be `'static`, such as a `BoxFuture<'static, T>` or one that is spawned,
/// can't borrow that: with `key = name` for a `name: &str` the compiler says that `name` escapes
/// or doesn't live long enough. Take the argument by value, `name: String`, or let the function
/// end in a call of an `async fn` that has the attribute and owns its arguments.
///
/// Other bodies that return a future or a stream are refused, as the lock would be released
/// before it runs. That holds for an `async fn` and an `async` block as well, if their output is
/// one; and for types that have one inside, such as `Result<BoxFuture<'_, T>, E>`,
/// `Option<impl Future>`, a tuple, or a web framework's response around an `impl Stream`.
/// [Limits](#limits) lists what can't be seen.
///
/// # On an `impl` block
///
/// The attribute above an `impl` block, also one of a trait, is the same as above every method
/// in it that takes `self`. The arguments are evaluated in each, so they may name the
/// arguments that all of these methods have; without an argument each has a lock of its own.
/// `#[synchronized(skip)]` leaves a method out. A method with an attribute of its own has that
/// instead, with nothing of the block's but `crate`. Functions without `self`, constants, types
/// and what macros in the block make are left alone. The block knows its methods' attributes by
/// the name `synchronized`, under any path; with an import under another name, as in
/// `use lockutils::synchronized as serial`, a method's own attribute is refused.
///
/// ```
/// # use lockutils::{is_locked, synchronized};
/// struct Vm { id: u32, starts: u32 }
///
/// #[synchronized(key = self.id)]
/// impl Vm {
///     fn start(&mut self) {
///         assert!(is_locked(7));
///         self.starts += 1;
///     }
///
///     async fn stop(&mut self) {
///         assert!(is_locked(7));
///     }
///
///     #[synchronized(key = (self.id, volume))]
///     fn attach(&mut self, volume: u32) {
///         assert!(is_locked((7, volume)));
///     }
///
///     #[synchronized(skip)]
///     fn id(&self) -> u32 {
///         self.id
///     }
/// }
/// # let mut vm = Vm { id: 7, starts: 0 };
/// # vm.start();
/// # vm.attach(1);
/// # futures::executor::block_on(vm.stop());
/// # assert_eq!(vm.starts + vm.id(), 8);
/// ```
///
/// A method that calls another one of the block waits for itself, as any function that calls
/// one with the same key: skip the inner one, or have a thread re-enter with `reentrant`.
///
#[doc = include_str!("beside.md")]
///
/// # Limits
///
/// Whether a function returns what runs later is told by its return type, and so it can't be seen
///
/// - of a type under another name: a type alias (but one that is called `BoxFuture` or
///   `BoxStream`), the call of a macro, a response type that has a body of its own, such as
///   axum's `Response`, and `impl Trait` for a trait that isn't a future's, such as
///   `impl IntoResponse`;
/// - of types that are futures or streams themselves, such as `Ready`, `JoinHandle` or
///   `ReceiverStream`, of which some do run during the call;
/// - of an iterator or a closure, also one that makes a future.
///
/// These run after the lock is released; run them in the function and return what they give. A
/// type that has a future inside and runs none, such as a channel for futures, is refused,
/// unless it is returned under an alias.
///
/// An async task that takes a key it already holds waits for itself, so a recursive async
/// function needs another key at each step. A `const fn`, a function without a body, and
/// items that aren't functions or `impl` blocks are refused.
#[proc_macro_attribute]
pub fn synchronized(args: TokenStream, item: TokenStream) -> TokenStream {
    pipeline::synchronized(args.into(), item.into()).into()
}

/// Makes a struct or an enum a lock key.
///
/// | type | its key |
/// |---|---|
/// | a struct of one field, such as a newtype | that field's |
/// | any other struct | the tuple of its fields |
/// | an enum | the name of the variant, and the fields behind it as in a tuple |
/// | a unit struct, a variant without fields | its name |
///
/// So different values of one type are different keys. Between types it is the text
/// that counts: a newtype of a `u32` is the same key as the `u32`, which is what a function
/// that was passed the one and a function that was passed the other want.
///
/// ```
/// use lockutils::{Key, LockKey, synchronized};
///
/// #[derive(LockKey)]
/// struct Uuid(String);
///
/// #[derive(LockKey)]
/// struct Volume {
///     host: String,
///     id: u32,
/// }
///
/// #[derive(LockKey)]
/// enum Target<'a> {
///     Everything,
///     Host(&'a str),
///     Port { host: &'a str, number: u16 },
/// }
///
/// #[synchronized(key = target)]
/// fn scan(target: &Target) {
///     // No other caller is in here for this target.
/// }
///
/// assert_eq!(Key::new(Uuid("2f1c".into())).as_str(), "2f1c");
/// assert_eq!(Key::new(Volume { host: "node/1".into(), id: 7 }).as_str(), "node%2F1/7");
/// assert_eq!(Key::new(Target::Everything).as_str(), "Everything");
/// assert_eq!(Key::new(Target::Host("node")).as_str(), "Host/node");
/// assert_eq!(Key::new(Target::Port { host: "node", number: 80 }).as_str(), "Port/node/80");
/// # scan(&Target::Everything);
/// ```
///
/// Every field has to be a key itself; floats, `Option` and collections aren't, as the
/// trait says. A union has no key.
///
/// # Options
///
/// `#[lock_key(skip)]` leaves a field out: two values that differ in it alone are the same
/// key. Where all fields are left out, the name is the key, as if there were none.
///
/// ```
/// use lockutils::{Key, LockKey};
/// use std::marker::PhantomData;
///
/// #[derive(LockKey)]
/// struct Id<T> {
///     number: u64,
///     #[lock_key(skip)]
///     of: PhantomData<T>,
/// }
///
/// struct Vm;
///
/// assert_eq!(Key::new(Id::<Vm> { number: 7, of: PhantomData }).as_str(), "7");
/// ```
///
/// `#[lock_key(crate = PATH)]` on the type says where the crate `lockutils` is; by default
/// `::lockutils`.
///
/// # Generics
///
/// The types of the fields that are part of the key have to be keys, and nothing is asked of
/// the parameters beyond that: above, `Vm` is no key. A type may have itself in it, in a
/// `Box` or behind a reference, and so may two that have each other, where the one that
/// points also has a value of the parameter's.
///
/// `#[lock_key(bound = "..")]` on the type says in place of that what is asked for, as it may
/// stand behind a `where`; on a field it stands for what this field would ask for. That is the
/// way out where the compiler says "overflow evaluating the requirement", or that the trait
/// `LockKey` is not satisfied for something that the derive can't know of.
///
/// ```
/// use lockutils::{Key, KeyWriter, LockKey};
/// use std::fmt::Display;
///
/// struct Shown<T>(T);
///
/// impl<T: Display> LockKey for Shown<T> {
///     fn write_key(&self, out: &mut KeyWriter<'_>) {
///         format_args!("{}", self.0).write_key(out);
///     }
/// }
///
/// #[derive(LockKey)]
/// #[lock_key(bound = "T: Display")]
/// struct Named<T>(Shown<T>, u32);
///
/// assert_eq!(Key::new(Named(Shown(1.5), 7)).as_str(), "1.5/7");
/// ```
#[proc_macro_derive(LockKey, attributes(lock_key))]
pub fn derive_lock_key(item: TokenStream) -> TokenStream {
    key::derive(item.into()).into()
}

/// What `lockutils::key!` calls.
#[doc(hidden)]
#[proc_macro]
pub fn format_key(input: TokenStream) -> TokenStream {
    literal::key(input.into()).into()
}
