//! What is told of locks that are taken in two orders.

use crate::holder::Holder;
use crate::key::Key;
use crate::name::PlainName;
use crate::site::Site;
use std::fmt;

/// Locks that are taken in two orders, see [`lock_order`](super::lock_order()). That will be a deadlock
/// when both are taken at the same time, which need not have happened yet.
///
/// [`Display`](fmt::Display) gives a headline, and a line for each lock that somebody asked for while it
/// had another. The lines are indented, and the last has no end of line.
///
/// ```text
/// locks are taken in two orders, which will deadlock one day:
///   cells/2f1c (src/cells.rs:41) and then images/9a (src/image.rs:12), in thread "worker-3"
///   images/7   (src/image.rs:60) and then cells/81d0 (src/cells.rs:90), in task "gc"
/// ```
///
/// Of two keys of one space it says so when they are taken against the order of
/// [`keys`](crate::Locks::keys):
///
/// ```text
/// locks are taken in two orders, which will deadlock one day:
///   accounts/7 (src/pay.rs:20) and then accounts/31 (src/pay.rs:21), in thread "worker-1"
///   use keys([..]), which takes them in one order
/// ```
#[derive(Clone, Debug)]
pub struct LockOrder(pub(super) Vec<Step>);

/// A lock that was asked for by who had another one.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) held: Lock,
    pub(super) asked: Lock,
    pub(super) who: Holder,
}

/// A lock, and where in the code it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Lock {
    /// That of the space.
    pub(super) number: u64,
    pub(super) space: &'static str,
    pub(super) key: Key,
    pub(super) site: Site,
}

impl Lock {
    fn name(&self) -> String {
        let Self { space, key, .. } = self;
        PlainName { space, key }.to_string()
    }

    fn place(&self) -> String {
        let location = self.site.location();
        format!("({}:{})", location.file(), location.line())
    }
}

impl fmt::Display for LockOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(steps) = self;
        write!(
            f,
            "locks are taken in two orders, which will deadlock one day:"
        )?;
        let names = steps.iter().map(|step| step.held.name());
        let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
        for Step { held, asked, who } in steps {
            let (first, second) = (held.name(), asked.name());
            let (here, there) = (held.place(), asked.place());
            let who = who.whereabouts();
            write!(
                f,
                "\n  {first:width$} {here} and then {second} {there}, {who}"
            )?;
        }
        let mut others = steps.iter();
        let is_first = |lock: &Lock| lock.number == steps[0].held.number;
        let of_one_class = steps.len() == 1;
        if of_one_class || others.all(|step| is_first(&step.held) && is_first(&step.asked)) {
            write!(f, "\n  use keys([..]), which takes them in one order")?;
        }
        Ok(())
    }
}
