//! Being told what happens where locks are waited for.
//!
//! Locks that nobody waits for cost the same whether anybody listens or not, and nothing is told of
//! them: a hold does no harm until somebody waits for it, and from then on all is known. A
//! [recording](record()) has them too, for a while, and makes them cost more for as long.
//!
//! ```
//! use lockutils::observe::{self, Event, Observer};
//!
//! struct Warn;
//!
//! impl Observer for Warn {
//!     fn event(&self, event: &Event<'_>) {
//!         match event {
//!             Event::LongWait(wait, time) => eprintln!("{wait:?} for {time:?}"),
//!             Event::Deadlock(deadlock) => eprintln!("{deadlock}"),
//!             _ => {}
//!         }
//!     }
//! }
//!
//! observe::set_observer(&Warn)?;
//! # Ok::<(), observe::AlreadySet>(())
//! ```

//!
//! # tracing
//!
//! With the feature `tracing`, and where a subscriber listens to the target `lockutils`, each wait is a
//! span `lock.wait` (DEBUG), from its begin to its end, in the span that the waiter is in: so a trace
//! of a request shows where it waited, and behind whom. Its fields:
//!
//! | field | |
//! |---|---|
//! | `lockutils.space`, `lockutils.key` | the lock |
//! | `lockutils.mode` | `exclusive` or `shared` |
//! | `lockutils.ahead` | how many were in the queue before it |
//! | `lockutils.holder` | who had the lock then, as text |
//! | `lockutils.outcome` | `acquired`, `timeout`, `cancelled`, `deadlock` or `failed`; at the end |
//! | `code.function.name`, `code.file.path`, `code.line.number` | where it waits |
//!
//! What lasts is an event: WARN `still waiting for lock ..` after 1, 2, 4 .. s with `waited_secs`, and INFO
//! `got lock .. after 3.2s` at the end; WARN and INFO of holds that are longer than [`long_holds`] says,
//! with `held_secs`; WARN of a lock that was handed to a future which isn't polled, and of locks that are
//! taken in two orders; ERROR `deadlock`, and ERROR
//! `lock .. was lost` of a server's lock, which is told by whoever has found out. The others
//! are told of by threads of their own, which see the subscriber that is the process's.
//!
//! # Metrics
//!
//! With the feature `metrics`, the recorder of the crate `metrics` has these. What it can't be told by
//! events, [`stats`](crate::stats()) has.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `lockutils.wait.duration` | histogram, in seconds | space, outcome |
//! | `lockutils.waiter.time` | counter, in nanoseconds: how long others waited for what was held here | space, site |
//! | `lockutils.waiters` | gauge | space |
//! | `lockutils.handover.duration` | histogram, in seconds | space |
//! | `lockutils.busy`, `lockutils.long_holds` | counter | space, site |
//! | `lockutils.spins` | counter | space |
//! | `lockutils.deadlocks` | counter | kind |
//! | `lockutils.round_trip.duration` | histogram, in seconds | space, question |
//! | `lockutils.round_trips_failed` | counter | space, question |
//! | `lockutils.leases_lost` | counter | space |
//! | `lockutils.lock_order_violations` | counter | |
//!
//! # Probes
//!
//! With the feature `usdt`, on Linux, the program has probes for tracers that attach to it while it
//! runs, such as bpftrace, perf and gdb, each with three arguments. Texts are C strings. Where no
//! tracer is attached a wait costs a look at the clock more; what has nobody waiting has no probe. A wait for
//! another process or a server has those of a wait, from when on it is known that somebody else has the lock;
//! what the other one does is not seen here, and so its release isn't.
//!
//! | probe | arguments |
//! |---|---|
//! | `lockutils:wait_begin` | a number that no other wait has; the lock, as `cells/2f1c`; where it waits, as `connect (src/cells.rs:41)` |
//! | `lockutils:wait_end` | that number; the outcome, as in the table of [tracing](#tracing); how long it was, in nanoseconds |
//! | `lockutils:release` | a lock that somebody waits for, when a holder releases it; where that one took it; how many wait |
//!
//! ```text
//! # How long waits take, by how they end; who makes others wait, by place in the code.
//! bpftrace -p 4711 -e 'usdt:/proc/4711/exe:lockutils:wait_end { @[str(arg1)] = hist(arg2); }'
//! bpftrace -p 4711 -e 'usdt:/proc/4711/exe:lockutils:release { @[str(arg1)] = sum(arg2); }'
//! # Which locks are waited for.
//! bpftrace -p 4711 -e 'usdt:/proc/4711/exe:lockutils:wait_begin { @[str(arg1), str(arg2)] = count(); }'
//! ```
//!
//! `readelf -n` lists them.

pub(crate) mod event;
#[cfg(feature = "metrics")]
pub(crate) mod facade;
pub(crate) mod holds;
pub(crate) mod listen;
pub(crate) mod outcome;
pub(crate) mod probed;
#[cfg(feature = "usdt")]
pub(crate) mod probes;
#[cfg(feature = "tracing")]
mod spans;
pub(crate) mod tell;

pub use self::event::{Event, Hold, Loss, Wait};
pub use self::holds::long_holds;
pub use self::outcome::Outcome;
pub use self::tell::{AlreadySet, Observer, set_observer};
pub use crate::order::found::LockOrder;
pub use crate::order::{LockOrderAction, lock_order};
pub use crate::timeline::record::{RecordOptions, Summary, record};
