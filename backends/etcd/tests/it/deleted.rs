//! Keys of holds that somebody deletes by hand, as `etcdctl del` does.

use lockutils::{ErrorKind, LeaseGuard};
use lockutils_conformance::{ByHand, in_time};
use lockutils_servers::Proxy;

use crate::{LONG, api, locks, server};

fn wait_for_loss(guard: &LeaseGuard) {
    let lost = guard.lost();
    in_time(move || pollster::block_on(lost));
    assert!(guard.is_lost());
}

#[test]
fn holder_is_told_and_nobody_else() {
    let Some(server) = server() else { return };
    // No renewal tells of it.
    let locks = locks(&server.url()).ttl(LONG);
    let taken = locks.key("a").lock().unwrap();
    let kept = locks.key("b").lock().unwrap();
    let other = self::locks(&server.url());
    let mut waits = ByHand::new(other.key("a").lock_async());
    assert!(waits.poll().is_pending());
    api::delete_between(server.port(), "billing/a/", "billing/a0");
    wait_for_loss(&taken);
    assert_eq!(taken.release().unwrap_err().kind(), ErrorKind::Lost);
    drop(in_time(move || waits.finish()).unwrap());
    kept.check().unwrap();
    kept.release().unwrap();
}

#[test]
fn holder_is_told_of_what_happened_while_it_was_cut_off() {
    let Some(server) = server() else { return };
    let proxy = Proxy::to(server.port());
    let locks = locks(&format!("etcd://127.0.0.1:{}", proxy.port())).ttl(LONG);
    let taken = locks.key("a").lock().unwrap();
    let kept = locks.key("b").lock().unwrap();
    proxy.cut();
    api::delete_between(server.port(), "billing/a/", "billing/a0");
    api::compact(server.port());
    proxy.mend();
    wait_for_loss(&taken);
    kept.check().unwrap();
    // That one is watched still.
    api::delete_between(server.port(), "billing/b/", "billing/b0");
    wait_for_loss(&kept);
}
