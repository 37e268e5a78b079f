//! The future is `Send` whatever the key's and the space's expressions hold.
#![deny(warnings)]

use lockutils::{Locks, synchronized};
use std::rc::Rc;

static VMS: Locks = Locks::new("vms");

fn assert_send<T: Send>(future: T) -> T {
    future
}

#[synchronized(key = *Rc::new(id))]
async fn key_with_an_rc(id: u32) {}

#[synchronized(key = id, locks = *Rc::new(&VMS))]
async fn space_with_an_rc(id: u32) {}

#[synchronized(key = *Rc::new(id), locks = Rc::new(Locks::new("temporary")))]
fn block_with_an_rc(id: u32) -> impl Future<Output = ()> + Send {
    async move {}
}

#[synchronized("vm-{id}")]
async fn captures(id: u32) {}

#[synchronized]
async fn own() {}

fn main() {
    drop(assert_send(key_with_an_rc(1)));
    drop(assert_send(space_with_an_rc(1)));
    drop(assert_send(block_with_an_rc(1)));
    drop(assert_send(captures(1)));
    drop(assert_send(own()));
}
