//! That the cases find something: spaces with a fault each, which have to fail those about it.

use lockutils::engine::{Acquire, Mode, Space};
use lockutils::{FileLocks, Key, LockKey, Locks, Site};
use lockutils_conformance::{Subject, cases, run};
use std::panic::catch_unwind;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A space that changes what it is asked for.
struct Faulty<S> {
    space: S,
    key: fn(&str) -> &str,
    mode: Option<Mode>,
}

impl<S> Faulty<S> {
    fn of(space: S) -> Self {
        Self {
            space,
            key: |key| key,
            mode: None,
        }
    }

    fn changed(&self, key: &dyn LockKey) -> Key {
        Key::new((self.key)(Key::new(key).as_str()))
    }
}

impl<S: Space> Space for Faulty<S> {
    type Machine = S::Machine;

    fn wait(&self, key: &dyn LockKey, mode: Mode, site: Site) -> Acquire<S::Machine> {
        let key = self.changed(key);
        self.space.wait(&key, self.mode.unwrap_or(mode), site)
    }

    fn wait_all(&self, keys: Vec<Key>, mode: Mode, site: Site) -> Acquire<S::Machine> {
        let keys = keys.iter().map(|key| self.changed(key)).collect();
        self.space.wait_all(keys, self.mode.unwrap_or(mode), site)
    }
}

macro_rules! faulty {
    ($($fault:ident: $space:ty = $make:expr, fails $($case:ident)*;)*) => {$(
        mod $fault {
            use super::*;

            struct Fault;

            impl Subject for Fault {
                type Space = Faulty<$space>;

                fn space(place: &Path) -> Self::Space {
                    let make: fn(&Path) -> Self::Space = $make;
                    make(place)
                }
            }

            $(
                #[test]
                fn $case() {
                    let name = concat!(module_path!(), "::", stringify!($case));
                    let passed = catch_unwind(|| run::<Fault>(name, &[], cases::$case));
                    assert!(passed.is_err(), "it passed");
                }
            )*
        }
    )*};
}

static PLACES: AtomicUsize = AtomicUsize::new(0);

faulty! {
    nobody_is_kept_out: Locks = |_| Faulty {
        mode: Some(Mode::Shared),
        ..Faulty::of(Locks::new("shared"))
    }, fails
        same_key_excludes_threads
        same_key_excludes_tasks
        same_key_excludes_threads_and_tasks
        key_tried_by_two_threads_at_once_goes_to_one
        drop_releases
        try_on_a_held_key_is_busy
        try_is_busy_for_the_holder_too
        try_of_a_task_is_busy_or_has_the_lock
        cancelled_waiter_leaves_queue
        blocking_wait_times_out
        async_wait_times_out
        shared_and_exclusive_holders_exclude_each_other
        keys_are_held_together;
    two_are_let_in: Locks = |_| Faulty::of(Locks::new("two").permits(2)), fails
        same_key_excludes_threads
        same_key_excludes_tasks
        drop_releases;
    sharers_are_kept_out: Locks = |_| Faulty {
        mode: Some(Mode::Exclusive),
        ..Faulty::of(Locks::new("exclusive"))
    }, fails
        shared_holders_are_inside_together;
    keys_are_cut: Locks = |_| Faulty {
        key: |key| key.get(..255).unwrap_or(key),
        ..Faulty::of(Locks::new("cut"))
    }, fails
        long_key_is_a_lock;
    keys_are_trimmed: Locks = |_| Faulty {
        key: |key| key.trim(),
        ..Faulty::of(Locks::new("trimmed"))
    }, fails
        different_text_is_another_lock;
    empty_keys_are_refused: FileLocks = |place| Faulty::of(FileLocks::new(place)), fails
        empty_key_is_a_lock;
    spaces_are_apart: FileLocks = |place| {
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        Faulty::of(FileLocks::new(place.join(number.to_string())))
    }, fails
        spaces_at_one_place_exclude_each_other;
    processes_are_apart: FileLocks = |place| {
        Faulty::of(FileLocks::new(place.join(process::id().to_string())))
    }, fails
        processes_exclude_each_other
        other_process_is_refused_until_the_release
        other_process_waits_for_the_release;
    processes_share: FileLocks = |place| Faulty {
        mode: Some(Mode::Shared),
        ..Faulty::of(FileLocks::new(place))
    }, fails
        processes_exclude_each_other
        processes_share_a_lock
        other_process_waits_for_the_release;
}
