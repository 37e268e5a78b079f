//! The attribute `#[synchronized]`; use it through the crate `lockutils`.

use proc_macro::TokenStream;

mod args;
mod errors;
mod expand;
mod format;
mod future;
mod item;
mod lock;
mod span;
mod spelling;
#[cfg(test)]
mod tests;
mod timeout;
mod validate;

/// Lets a function run only once at a time for each key.
///
/// Stands above a function with a body, sync or async: a free function, a method, a
/// trait method with a default body or a method of a trait impl. The function takes
/// the lock of its key, waits for it if somebody has it, runs its body, and releases
/// the lock. All functions that name the same key exclude each other, between
/// threads and tasks, also sync and async ones.
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
/// | `locks = EXPR` | the lock space that the key means something in |
/// | `external` | the process-wide space of lock files, whose locks exclude other processes too |
/// | `crate = PATH` | where the crate `lockutils` is; by default `::lockutils` |
///
/// For a timeout, a shared hold, several keys, re-entry or a try take the lock by hand, with
/// the methods of `Locks`.
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
/// value write `key = format_args!("vm-{}", vm.id)`.
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
/// lists them. The expression sees the arguments and `self`, and nothing that the
/// body declares. It is evaluated once, by reference, before the function waits, so
/// the arguments stay usable. It may use `?`, which returns from the function without
/// the lock, and in an async function `.await`.
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
/// A space whose locks can fail needs a function that returns `Result<_, E>` with
/// `E: From<lockutils::Error>`; the error is returned in place of running the body.
/// Locks in the process can't fail, so any function may have one.
///
/// ## `external`
///
/// The lock is a file, and excludes other processes of the same host as well. Which
/// directory it is in says `lockutils::file_locks`; for another one use `locks` with a
/// `FileLocks`. A lock file can fail, so the function must have a place for the error.
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
/// Other bodies that return a future or a stream are refused, as the lock would be
/// released before it runs. An iterator or a closure that is returned, and a future
/// whose type an alias hides, do run after the lock is released.
///
/// # Beside other attributes
///
/// Attributes are expanded from the top down.
///
/// | other attribute | above `#[synchronized]` | below it |
/// |---|---|---|
/// | `#[test]`, `#[tokio::test]`, `#[tokio::main]` | the lock blocks the thread | an async lock, so prefer this |
/// | `#[tracing::instrument]` | the wait is outside the span | the wait is inside the span |
///
/// # Limits
///
/// A thread that takes a key it already holds would wait for itself, and panics instead;
/// an async task does wait. So a recursive function needs another key at each step. A
/// `const fn`, a function without a body, and items that aren't functions are refused.
#[proc_macro_attribute]
pub fn synchronized(args: TokenStream, item: TokenStream) -> TokenStream {
    locked_or_refused(args.into(), item.into()).into()
}

fn locked_or_refused(
    args: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> proc_macro2::TokenStream {
    let function = match item::parse(item.clone()) {
        Ok(function) => function,
        Err(error) => return error.to_compile_error().into_iter().chain(item).collect(),
    };
    match validate::validate(args::parse(args), &function) {
        Ok(args) => expand::expand(&args, &function),
        Err(error) => expand::refuse(&function, &error),
    }
}
