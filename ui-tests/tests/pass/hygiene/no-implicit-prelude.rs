//! The expansion names nothing of the prelude.
#![no_implicit_prelude]
#![deny(warnings)]
#![forbid(unsafe_code)]

static VMS: ::lockutils::Locks = ::lockutils::Locks::new("vms");

#[::lockutils::synchronized]
fn own() {}

#[::lockutils::synchronized("vm-{id}", locks = VMS)]
fn space(id: u32) -> bool {
    VMS.key(::std::format_args!("vm-{id}")).is_locked()
}

#[::lockutils::synchronized(key = id, locks = VMS)]
async fn space_async(id: u32) -> bool {
    VMS.key(id).is_locked()
}

#[::lockutils::synchronized(key = id)]
fn pinned(id: u32) -> ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = bool>>> {
    ::std::boxed::Box::pin(async move { ::lockutils::is_locked(id) })
}

fn main() {
    own();
    ::std::assert!(space(7));
    ::futures::executor::block_on(async {
        ::std::assert!(space_async(7).await && pinned(7).await);
    });
}
