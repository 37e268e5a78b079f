//! `self: &Arc<Self>`.
#![deny(warnings)]

use lockutils::synchronized;
use std::sync::Arc;

struct Vm {
    id: u32,
}

impl Vm {
    #[synchronized(key = self.id)]
    fn by_arc(self: &Arc<Self>) -> Arc<Self> {
        Arc::clone(self)
    }
}

fn main() {
    assert_eq!(Arc::new(Vm { id: 7 }).by_arc().id, 7);
}
