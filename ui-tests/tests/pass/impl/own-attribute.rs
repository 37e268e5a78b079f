//! A method's own attribute stands instead of the block's, with nothing of its arguments.
#![deny(warnings)]

use lockutils::{Locks, is_locked, synchronized};

static VMS: Locks = Locks::new("vms");

struct Vm {
    id: u32,
}

#[synchronized(key = self.id, locks = VMS)]
impl Vm {
    fn start(&self) -> bool {
        VMS.key(7).is_locked()
    }

    /// In the process-wide space, since it doesn't say `locks`.
    #[synchronized("vm-{volume}")]
    fn attach(&self, volume: u32) -> bool {
        is_locked("vm-1") && !VMS.key(7).is_locked() && !VMS.key("vm-1").is_locked()
    }

    /// Documented.
    #[lockutils::synchronized]
    #[must_use]
    fn own(&self) -> bool {
        let locks = lockutils::snapshot();
        locks.iter().any(|lock| lock.space.ends_with("::own")) && !VMS.key(7).is_locked()
    }

    #[synchronized(skip)]
    fn skipped(&self) -> bool {
        // So this doesn't wait for itself.
        VMS.key(7).try_lock().is_ok() && self.start()
    }

    #[synchronized(key = id)]
    fn without_self(id: u32) -> bool {
        is_locked(id)
    }

    #[synchronized(skip)]
    fn skipped_without_self() -> bool {
        true
    }

    #[synchronized(skip)]
    const fn constant(&self) -> u32 {
        self.id
    }
}

fn main() {
    let vm = Vm { id: 7 };
    assert!(vm.start() && vm.attach(1) && vm.own() && vm.skipped());
    assert!(Vm::without_self(1) && Vm::skipped_without_self());
    assert_eq!(vm.constant(), 7);
}
