//! A space may be made where it is first used.
#![deny(warnings)]

use lockutils::{Error, FileLocks, Locks, synchronized};
use std::path::PathBuf;
use std::sync::LazyLock;

static VMS: LazyLock<Locks> = LazyLock::new(|| Locks::new("vms"));
static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let name = format!("lockutils-ui-lazy-{}", std::process::id());
    std::env::temp_dir().join(name)
});
static DEVICES: LazyLock<FileLocks> = LazyLock::new(|| FileLocks::new(&*DIRECTORY));

#[synchronized(key = id, locks = VMS)]
fn start(id: u32) -> bool {
    VMS.key(id).is_locked()
}

#[synchronized(key = id, locks = &VMS)]
async fn stop(id: u32) -> bool {
    VMS.key(id).is_locked()
}

#[synchronized("disk", locks = DEVICES)]
fn format() -> Result<bool, Error> {
    DEVICES.key("disk").is_locked()
}

fn main() {
    assert!(start(7));
    assert!(futures::executor::block_on(stop(7)));
    assert!(format().unwrap());
    std::fs::remove_dir_all(&*DIRECTORY).unwrap();
}
