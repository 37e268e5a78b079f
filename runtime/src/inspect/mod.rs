//! Attaching to a process that runs: a socket, by which the command `lockutils` sees its locks.
//!
//! ```no_run
//! # #[cfg(unix)]
//! fn main() {
//!     let _server = lockutils::inspect::from_env(); // if the operator wants it
//!     // .. the service
//! }
//! # #[cfg(not(unix))]
//! # fn main() {}
//! ```
//!
//! ```sh
//! LOCKUTILS_INSPECT=1 ./nova-compute &
//! lockutils why       # why it is stuck
//! lockutils top       # its locks, who has them and who waits, as they change
//! lockutils ps --all  # those of all processes that serve
//! ```
//!
//! It answers while every thread of the service and its executor are stuck: it has one thread of its
//! own, `lockutils-inspect`, which takes none of the user's locks. It runs no code of the user's, but for
//! what a lock [engine](crate::engine::Engine::holder) of the user's own says of who has a lock. Nothing can be
//! changed by it: nobody is woken, and no lock is released. The locks cost what they cost without it, but for while
//! somebody [records](crate::observe::record).
//!
//! # Who may attach
//!
//! Processes of the same user and of root, on this host, and where the service says so by [`Builder::group`]
//! those of the members of a group, for operators who have accounts of their own; nobody else. The socket is in a
//! directory that only the user and root can write to, and each peer is asked of the kernel. Where a directory isn't
//! such a one, [`serve`](fn@serve) is an error that says so. Nothing is served over the network.
//!
//! Without [`Builder::path`] the socket is `~inspect/PID-START` in the directory of the user's own
//! [lock files](crate::FileLocks): in `$XDG_RUNTIME_DIR/lockutils`, `/run/user/UID/lockutils` or
//! `/tmp/lockutils-UID`, and of root in `/run/lockutils`. In a container that has the command, run it there:
//! `kubectl exec POD -- lockutils why`. Else give the socket a place in a volume, and the command that
//! path: `lockutils why /srv/locks/nova.sock`.
//!
//! # Limits
//!
//! Four clients at a time, ten looks a second all in all, requests of 64 KiB, replies of 1 MiB, which say
//! what they leave off. Who doesn't read for two seconds is hung up on. So it takes at most some 6 MiB, and
//! beside that, while it looks, memory for each who waits. What it remembers of waits takes less
//! than 1 MiB: the last ones, half as many where each is of another lock, and what all have come to.
//!
//! # Protocol
//!
//! Lines of JSON, each an object; fields that aren't known are ignored, in both directions. The first line
//! is the server's:
//!
//! ```text
//! {"lockutils":1,"version":"0.1.0","pid":4711,"name":"nova-compute","start":"2026-11-29T03:10:00Z"}
//! ```
//!
//! | request | reply |
//! |---|---|
//! | `{"get":"locks","limit":200}` | `{"locks":[..],"left_off":0,"held":7,"waiters":41,"at_s":261.3}`: those first that most wait for |
//! | `{"get":"metrics"}` | `{"metrics":".."}`: what [`stats`](crate::stats()) has for Prometheus |
//! | `{"get":"profile"}` | `{"profile":[{"space":..,"held_by":..,"waited":..,"waits":..,"waited_ns":..,"keys":[..]}],"left_off":0,"lasted_s":10.0,"text":".."}`: [`profile`](crate::profile()) as data, and its table |
//! | `{"get":"why"}` | `{"why":{"causes":[..],..},"text":".."}`: [`report`](crate::report()) as data, and its text |
//! | `{"get":"why","space":"/run/lock","key":"nova-b"}` | the same of what keeps that one lock from being released, if somebody here holds it, also if nobody here waits for it: for who follows a wait into the process that has the lock. A lock file has its directory as the space, and its name as the key |
//! | `{"watch":"locks","every_ms":1000}` | the same reply as to `get`, again and again until the connection ends |
//! | `{"profile":{"seconds":10,"as":"pprof"}}` | after so long, 60 s at most, what was waited meanwhile, or without `seconds` at once all that was counted: as `"json"` the same as `get`, as `"folded"` `{"folded":".."}`, as `"pprof"` `{"pprof":".."}` in hexadecimal |
//! | `{"record":{"seconds":10,"one_in":1}}` | meanwhile and at the end `{"ev":[..]}`, again and again: [events](crate::observe::record) of a timeline; and then `{"done":{"events":81234,"dropped":0,"lasted_s":10.0,"one_in":1,"holds":..,"waits":..}}`. At most 60 s, 64 MiB and one at a time; it ends with its connection |
//! | `{"trace":{}}` | the same lines at once, of the last 4096 waits or so since it serves, and the holds that were waited for |
//! | anything else | `{"error":".."}` |
//!
//! Times are in seconds. What isn't known has no field.
//!
//! # A page
//!
//! `lockutils serve` shows the same in a browser. A service that has a web server can do so itself,
//! on any system: [`respond`](fn@respond) has the page and its data.
//!
//! # Forks
//!
//! The child of a fork doesn't serve, and leaves its parent's socket alone. It may serve itself.

mod answer;
#[cfg(unix)]
mod client;
#[cfg(unix)]
mod group;
#[cfg(unix)]
mod later;
#[cfg(unix)]
mod peer;
#[cfg(unix)]
mod place;
#[cfg(unix)]
mod request;
mod respond;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod start;
#[cfg(unix)]
mod sys;

pub use crate::name::Keys;
pub use respond::{Response, respond};
#[cfg(unix)]
pub use serve::{Builder, Server, from_env, serve};
