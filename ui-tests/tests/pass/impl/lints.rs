//! No lint fires on a block, and none has to be allowed.
#![deny(warnings)]
#![forbid(
    unused,
    unsafe_code,
    unreachable_code,
    unused_qualifications,
    unused_results,
    single_use_lifetimes,
    tail_expr_drop_order
)]
#![no_implicit_prelude]

use ::std::clone::Clone;

static VMS: ::lockutils::Locks = ::lockutils::Locks::new("vms");

#[derive(Clone)]
struct Vm(u32);

#[::lockutils::synchronized(key = self.0, locks = VMS)]
impl Vm {
    fn one_line(&self) -> u32 { self.0 }
    fn empty(&self) {}
    fn unused_argument(&self, _id: u32) {}
    async fn task(&self) -> u32 { self.0 }
    #[synchronized(skip)]
    fn skipped(&self) -> Self { self.clone() }
}

fn main() {
    let vm = Vm(7);
    vm.empty();
    vm.unused_argument(1);
    ::std::assert_eq!(vm.one_line() + ::futures::executor::block_on(vm.task()), 14);
    ::std::assert_eq!(vm.skipped().0, 7);
}
