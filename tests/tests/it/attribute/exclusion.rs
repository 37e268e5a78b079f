//! Which calls exclude each other.

use super::{Body, waits};
use async_trait::async_trait;
use lockutils::{Locks, synchronized};
use lockutils_tests::{Recorder, in_time, yield_now};
use pollster::block_on;
use std::pin::Pin;
use std::sync::Arc;

/// The name of the space of a function's own lock.
fn own(function: &str) -> String {
    format!("{}::{function}", module_path!())
}

#[synchronized]
fn alone(body: Body) {
    body();
}

#[synchronized]
fn alone_too(body: Body) {
    body();
}

#[synchronized]
fn generic<T>(_value: T, body: Body) {
    body();
}

#[synchronized]
async fn alone_async(body: Body<'_>) {
    body();
    yield_now().await;
}

#[test]
fn function_without_a_key_has_a_lock_of_its_own() {
    in_time(|| {
        assert!(waits(&own("alone"), |body| alone(body), |body| alone(body)));
        assert!(waits(
            &own("alone_async"),
            |body| block_on(alone_async(body)),
            |body| block_on(alone_async(body)),
        ));
        assert!(!waits(
            &own("alone"),
            |body| alone(body),
            |body| alone_too(body)
        ));
        assert!(!waits(
            &own("alone"),
            |body| alone(body),
            |body| block_on(alone_async(body)),
        ));
    });
}

#[test]
fn own_lock_is_one_whatever_the_generics() {
    in_time(|| {
        assert!(waits(
            &own("generic"),
            |body| generic(7_u8, body),
            |body| generic(String::new(), body),
        ));
    });
}

struct Vm;
struct Volume;

trait Attach {
    fn attach(&self, body: Body);

    #[synchronized]
    fn detach(&self, body: Body) {
        body();
    }
}

impl Attach for Vm {
    #[synchronized]
    fn attach(&self, body: Body) {
        body();
    }
}

impl Attach for Volume {
    #[synchronized]
    fn attach(&self, body: Body) {
        body();
    }
}

#[test]
fn same_named_methods_of_one_module_have_two_locks() {
    in_time(|| {
        assert!(!waits(
            &own("attach"),
            |body| Vm.attach(body),
            |body| Volume.attach(body),
        ));
    });
}

#[test]
fn own_lock_of_a_method_is_one_for_all_objects_and_types() {
    in_time(|| {
        assert!(waits(
            &own("detach"),
            |body| Vm.detach(body),
            |body| Volume.detach(body),
        ));
    });
}

#[synchronized("exclusion::text")]
fn text(body: Body) {
    body();
}

#[synchronized(key = format_args!("exclusion::{name}"))]
fn computed(name: &str, body: Body) {
    body();
}

#[test]
fn functions_of_one_key_exclude_each_other_and_the_free_functions() {
    in_time(|| {
        let key = "exclusion::text";
        let guarded = |body: Body| {
            let _guard = lockutils::lock(key);
            body();
        };
        assert!(waits(key, |body| text(body), |body| text(body)));
        assert!(waits(key, |body| text(body), |body| computed("text", body)));
        assert!(waits(key, |body| text(body), guarded));
        assert!(waits(key, guarded, |body| text(body)));
        assert!(!waits(key, |body| text(body), |body| computed("txt", body)));
    });
}

#[synchronized("exclusion::both")]
fn thread(body: Body) {
    body();
}

#[synchronized("exclusion::both")]
async fn task(body: Body<'_>) {
    body();
    yield_now().await;
}

#[test]
fn sync_and_async_function_of_one_key_exclude_each_other() {
    in_time(|| {
        let key = "exclusion::both";
        let in_task = |body: Body| block_on(task(body));
        assert!(waits(key, |body| thread(body), in_task));
        assert!(waits(key, in_task, |body| thread(body)));
        assert!(waits(key, in_task, in_task));
    });
}

/// An async function holds its lock across every `.await` of its body.
#[test]
fn tasks_of_one_function_run_one_after_the_other() {
    #[synchronized(key = ("exclusion::tasks", id))]
    async fn stay(id: u32, recorder: Arc<Recorder>) {
        let _stay = recorder.enter();
        for _ in 0..5 {
            yield_now().await;
        }
    }
    in_time(|| {
        let recorders = [(); 3].map(|()| Arc::new(Recorder::new()));
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            let tasks = (0..100).map(|number| {
                let key = number % 3;
                tokio::spawn(stay(key, Arc::clone(&recorders[key as usize])))
            });
            for task in tasks.collect::<Vec<_>>() {
                task.await.unwrap();
            }
        });
        for (recorder, stays) in recorders.iter().zip([34, 33, 33]) {
            recorder.assert_exclusive(stays);
        }
    });
}

struct Server {
    name: &'static str,
    locks: Locks,
}

impl Server {
    const fn new(name: &'static str) -> Self {
        let locks = Locks::new("servers");
        Self { name, locks }
    }

    #[synchronized(key = self.name, locks = self.locks)]
    fn start(&self, body: Body) {
        assert!(self.locks.key(self.name).is_locked());
        body();
    }

    #[synchronized(key = self.name, locks = &self.locks)]
    async fn stop(&mut self, body: Body<'_>) {
        assert!(self.locks.key(self.name).is_locked());
        body();
        self.name = "stopped";
        yield_now().await;
    }
}

#[test]
fn method_holds_the_lock_of_its_object() {
    in_time(|| {
        let (one, other) = (Server::new("exclusion::one"), Server::new("exclusion::one"));
        assert!(waits(
            one.name,
            |body| one.start(body),
            |body| one.start(body)
        ));
        // Of the same name, but with locks of its own.
        assert!(!waits(
            one.name,
            |body| one.start(body),
            |body| other.start(body)
        ));
        assert!(!one.locks.key(one.name).is_locked());
    });
}

#[test]
fn method_that_changes_its_object_releases_what_it_took() {
    in_time(|| {
        let mut server = Server::new("exclusion::changed");
        block_on(server.stop(&mut || ()));
        assert_eq!(server.name, "stopped");
        assert!(!server.locks.key("exclusion::changed").is_locked());
    });
}

trait Device {
    fn open(&self, body: Body);

    #[synchronized("exclusion::device")]
    fn close(&self, body: Body) {
        body();
    }
}

impl Device for Vm {
    #[synchronized("exclusion::device")]
    fn open(&self, body: Body) {
        body();
    }
}

impl Device for Volume {
    #[synchronized("exclusion::device")]
    fn open(&self, body: Body) {
        body();
    }
}

#[test]
fn trait_methods_hold_their_locks_also_behind_dyn() {
    in_time(|| {
        let key = "exclusion::device";
        let (vm, volume): (&(dyn Device + Sync), &(dyn Device + Sync)) = (&Vm, &Volume);
        assert!(waits(key, |body| vm.open(body), |body| volume.open(body)));
        assert!(waits(key, |body| vm.open(body), |body| volume.close(body)));
        assert!(waits(key, |body| vm.close(body), |body| vm.close(body)));
    });
}

#[async_trait]
trait Driver: Sync {
    async fn load(&self, body: Body<'_>);

    #[synchronized("exclusion::driver")]
    async fn unload(&self, body: Body<'_>) {
        yield_now().await;
        body();
        yield_now().await;
    }
}

#[async_trait]
impl Driver for Vm {
    #[synchronized("exclusion::driver")]
    async fn load(&self, body: Body<'_>) {
        yield_now().await;
        body();
        yield_now().await;
    }
}

/// Such a method has become a function that returns a future; the lock must be held
/// while that future runs, not while it is made.
#[test]
fn methods_of_async_trait_hold_their_locks() {
    in_time(|| {
        let key = "exclusion::driver";
        let driver: &dyn Driver = &Vm;
        let load = |body: Body| block_on(driver.load(body));
        let unload = |body: Body| block_on(driver.unload(body));
        assert!(waits(key, load, load));
        assert!(waits(key, load, unload));
        assert!(waits(key, unload, unload));
        let mut nothing = || ();
        let made = driver.load(&mut nothing);
        assert!(!lockutils::is_locked(key));
        drop(made);
    });
}

trait Native {
    fn load(&self, body: Body) -> impl Future<Output = ()>;
}

impl Native for Vm {
    #[synchronized("exclusion::native")]
    async fn load(&self, body: Body<'_>) {
        body();
        yield_now().await;
    }
}

#[test]
fn async_methods_of_traits_hold_their_locks() {
    in_time(|| {
        let load = |body: Body| block_on(Native::load(&Vm, body));
        assert!(waits("exclusion::native", load, load));
    });
}

#[synchronized("exclusion::block")]
fn trailing_block(body: Body<'_>) -> impl Future<Output = u32> {
    let seven = 7;
    async move {
        yield_now().await;
        body();
        yield_now().await;
        seven
    }
}

#[synchronized("exclusion::block")]
fn boxed_block(body: Body<'_>) -> Pin<Box<dyn Future<Output = u32> + '_>> {
    Box::pin(async move {
        yield_now().await;
        body();
        yield_now().await;
        7
    })
}

#[test]
fn returned_future_holds_the_lock_while_it_runs() {
    in_time(|| {
        let key = "exclusion::block";
        let trailing = |body: Body| assert_eq!(block_on(trailing_block(body)), 7);
        let boxed = |body: Body| assert_eq!(block_on(boxed_block(body)), 7);
        assert!(waits(key, trailing, trailing));
        assert!(waits(key, trailing, boxed));
        assert!(waits(key, boxed, trailing));

        let (mut one, mut other) = (|| (), || ());
        let made = (trailing_block(&mut one), boxed_block(&mut other));
        assert!(!lockutils::is_locked(key));
        drop(made);
    });
}

#[synchronized("exclusion::outer")]
fn outer(body: Body) -> [bool; 2] {
    #[synchronized("exclusion::inner")]
    fn inner(body: Body) -> [bool; 2] {
        body();
        ["exclusion::outer", "exclusion::inner"].map(lockutils::is_locked)
    }
    inner(body)
}

#[test]
fn calls_of_annotated_functions_nest() {
    in_time(|| {
        assert_eq!(outer(&mut || ()), [true, true]);
        assert!(!lockutils::is_locked("exclusion::outer"));
        assert!(waits(
            "exclusion::outer",
            |body| assert_eq!(outer(body), [true, true]),
            |body| assert_eq!(outer(body), [true, true])
        ));
    });
}

/// Each depth has a key of its own.
#[test]
fn async_function_may_call_itself_for_another_key() {
    #[synchronized(key = ("exclusion::depth", depth))]
    async fn descend(depth: u32) -> usize {
        if depth == 9 {
            let states = lockutils::snapshot();
            let ours = |text: &str| text.starts_with("exclusion::depth/");
            return states.iter().filter(|lock| ours(lock.key.as_str())).count();
        }
        Box::pin(descend(depth + 1)).await
    }
    in_time(|| assert_eq!(block_on(descend(0)), 10));
}
