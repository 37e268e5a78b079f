//! An annotated `impl` block.

use super::{Body, waits};
use lockutils::synchronized;
use pollster::block_on;

struct Vm(&'static str);

#[synchronized(key = self.0)]
impl Vm {
    fn start(&self, body: Body) {
        body();
    }

    async fn stop(&self, body: Body<'_>) {
        std::future::ready(()).await;
        body();
    }

    #[synchronized(key = ("volume", self.0))]
    fn attach(&self, body: Body) {
        body();
    }

    #[synchronized(skip)]
    #[expect(clippy::unused_self)]
    fn inspect(&self, body: Body) {
        body();
    }
}

struct Own;

#[synchronized]
#[expect(clippy::unused_self)]
impl Own {
    fn first(&self, body: Body) {
        body();
    }

    fn second(&self, body: Body) {
        body();
    }
}

#[test]
fn methods_of_one_key_exclude_each_other() {
    let vm = Vm("block: one key");
    assert!(waits(vm.0, |body| vm.start(body), |body| vm.start(body)));
    assert!(waits(
        vm.0,
        |body| vm.start(body),
        |body| block_on(vm.stop(body))
    ));
    assert!(waits(
        vm.0,
        |body| block_on(vm.stop(body)),
        |body| vm.start(body)
    ));
}

#[test]
fn objects_of_different_keys_do_not() {
    let (one, other) = (Vm("block: one"), Vm("block: another"));
    assert!(!waits(
        one.0,
        |body| one.start(body),
        |body| other.start(body)
    ));
}

#[test]
fn own_attribute_is_in_place_of_the_block_s() {
    let vm = Vm("block: own");
    assert!(!waits(vm.0, |body| vm.start(body), |body| vm.attach(body)));
    let key = "volume/block: own";
    assert!(waits(key, |body| vm.attach(body), |body| vm.attach(body)));
}

#[test]
fn skipped_method_waits_for_nobody() {
    let vm = Vm("block: skipped");
    assert!(!waits(vm.0, |body| vm.start(body), |body| vm.inspect(body)));
}

#[test]
fn without_argument_each_method_has_its_own_lock() {
    let space = concat!(module_path!(), "::first");
    assert!(waits(space, |body| Own.first(body), |body| Own.first(body)));
    assert!(!waits(
        space,
        |body| Own.first(body),
        |body| Own.second(body)
    ));
}
