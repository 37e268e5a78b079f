//! What is captured may have a keyword as its name.
#![deny(warnings)]

use futures::executor::block_on;
use lockutils::{is_locked, key, lock, synchronized};

#[synchronized("vm-{type}-{gen}")]
fn start(r#type: &str, r#gen: u32) -> bool {
    is_locked("vm-a-7")
}

#[synchronized("vm-{type}")]
fn later(r#type: String) -> impl Future<Output = bool> {
    let key = format!("vm-{type}");
    async move { is_locked(&*key) && r#type == "b" }
}

struct Vm(f64);

impl std::fmt::Display for Vm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Vm {
    fn stop(&self) -> bool {
        let _guard = lock(key!("vm-{self}"));
        is_locked("vm-0.5")
    }
}

fn main() {
    assert!(start("a", 7) && block_on(later("b".into())) && Vm(0.5).stop());
    let (r#type, r#gen) = ("c", 0.5);
    let _guard = lock(key!("{type}/{gen}"));
    assert!(is_locked("c/0.5"));
}
