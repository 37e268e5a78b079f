//! What is particular to these locks.

use lockutils::ErrorKind;
use lockutils_conformance::{ByHand, eventually, in_time};

use crate::{locks, server};

#[test]
fn waiters_of_several_clients_have_the_lock_in_their_order() {
    let Some(server) = server() else { return };
    let locks = || locks(&server.url());
    let first = locks();
    let guard = first.key("key").lock().unwrap();
    let mut fence = guard.fence();
    let waiters: Vec<_> = (1..=3)
        .map(|number| {
            let mut waits = ByHand::new(locks().key("key").lock_async());
            assert!(waits.poll().is_pending());
            let waiters = || first.states().unwrap()[0].waiters;
            eventually("it waits at the server", || waiters() == number);
            waits
        })
        .collect();
    drop(guard);
    for waits in waiters {
        let next = in_time(move || waits.finish()).unwrap();
        assert!(next.fence() > fence);
        fence = next.fence();
    }
    let key = first.key("key");
    eventually("it is free", || !key.is_locked().unwrap());
}

#[test]
fn holder_is_told_by_name_to_who_finds_it_busy() {
    let Some(server) = server() else { return };
    let (one, two) = (locks(&server.url()), locks(&server.url()));
    let _guard = one.key("key").lock().unwrap();
    let place = format!("locks.rs:{}", line!() - 1);
    let error = two.key("key").try_lock().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    let process = std::process::id();
    let holder = two.key("key").holder().unwrap().unwrap();
    assert_eq!(holder.pid(), Some(process));
    assert_eq!(two.states().unwrap().len(), 1);
    let text = error.to_string();
    assert!(
        text.contains(&process.to_string()) && text.contains(&place),
        "{text}"
    );
}
