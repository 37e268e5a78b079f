//! Every method takes the lock of its object: the attribute above an `impl` block.
//!
//! A virtual machine is started if it doesn't run, and stopped if it does, and no other call
//! may come in between. In Java the object would be the lock; here its key is. So several
//! objects that stand for one machine, one for each request, exclude each other as well.
//!
//! ```text
//! cargo run --example vm
//! ```

use lockutils::{LockKey, Locks, synchronized};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

static VMS: Locks = Locks::new("vms");

#[derive(LockKey)]
struct VmId(usize);

struct Vm<'a> {
    id: VmId,
    host: &'a Host,
}

#[synchronized(key = self.id, locks = VMS)]
impl<'a> Vm<'a> {
    /// There is no object yet, so this takes no lock.
    fn new(id: usize, host: &'a Host) -> Self {
        Self { id: VmId(id), host }
    }

    fn start(&self) {
        if !self.host.runs(&self.id) {
            self.host.switch(&self.id, true);
        }
    }

    fn stop(&mut self) {
        if self.host.runs(&self.id) {
            self.host.switch(&self.id, false);
        }
    }

    /// The name never changes, so this needn't wait for the others.
    #[synchronized(skip)]
    fn name(&self) -> String {
        format!("vm-{}", self.id.0)
    }
}

/// Refuses to start a machine that runs, or to stop one that doesn't.
#[derive(Default)]
struct Host {
    runs: [AtomicBool; 2],
    switched: AtomicU32,
}

impl Host {
    fn runs(&self, VmId(id): &VmId) -> bool {
        self.runs[*id].load(Ordering::Relaxed)
    }

    fn switch(&self, VmId(id): &VmId, on: bool) {
        thread::yield_now(); // Slow, so that another thread gets a chance.
        assert_ne!(self.runs[*id].swap(on, Ordering::Relaxed), on);
        self.switched.fetch_add(1, Ordering::Relaxed);
    }
}

fn main() {
    let host = Host::default();
    thread::scope(|scope| {
        for request in 0..8 {
            let mut vm = Vm::new(request % 2, &host);
            scope.spawn(move || (0..100).for_each(|_| (vm.start(), vm.stop()).0));
        }
    });
    assert!(!host.runs(&VmId(0)) && !host.runs(&VmId(1)));
    println!("{}: never switched twice", Vm::new(1, &host).name());
}
