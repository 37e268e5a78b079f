//! Where in the code locks cost others their time.
//!
//! The rows are those of the [`costs`], with the sites as texts, since one place in the code can have
//! several addresses. They are written as a [table](table) for a terminal, as lines for flame graphs,
//! and in the format of [`pprof`].
//!
//! Few programs ask for it, so all functions here are `#[inline]`: who calls them compiles them, and
//! nobody else.

#[cfg(feature = "inspect")]
mod json;
mod pprof;
mod rows;
mod table;

use crate::costs::{self, Costs};
use crate::name::Keys;
use crate::observe::listen::Listeners;
use crate::outside::all_waits;
#[cfg(all(feature = "inspect", unix))]
use crate::sync::nanoseconds;
use crate::table::looks;
use rows::Rows;
use std::fmt;
use std::io::{self, Write};
use table::Table;

/// Who made others wait for locks, where in the code, and where those waited. It begins with the
/// first call of this or of [`stats`](crate::stats()), or with an
/// [observer](crate::observe::set_observer), and has all that has been waited since, that of those
/// who still wait too.
///
/// Each wait is blamed on who had the lock meanwhile: where that were several, one after the other,
/// on each for its time, and several at a time evenly. While nobody had it, on the waiter that was
/// called to take it and did not come. Who takes it before that one comes is not in its way yet, and
/// is blamed from when a waiter finds that it is there.
///
/// # Examples
///
/// ```
/// # let _ = lockutils::profile();
/// // .. and after a while:
/// println!("{}", lockutils::profile());
/// ```
///
/// ```text
/// 10.0 s: 1204 waits, 381.3 waiter-seconds, load 38.1
/// HELD BY                    LOAD  SHARE  WAITS  WORST KEY          WAITED THERE
/// connect (src/cells.rs:41)  29.8   78 %    214  cells/2f1c (97 %)  fetch (src/image.rs:12) 88 %, ..
/// ```
#[must_use]
#[inline]
pub fn profile() -> Profile {
    profile_with(Keys::Plain)
}

/// The same, with what is shown of keys.
#[inline]
pub(crate) fn profile_with(keys: Keys) -> Profile {
    Profile(Rows::new(&all_costs(), keys))
}

/// What there was at some moment, from which on a profile is wanted.
#[cfg(all(feature = "inspect", unix))]
pub(crate) struct Before {
    costs: Box<Costs>,
    /// See [`nanoseconds`].
    at: u64,
}

#[cfg(all(feature = "inspect", unix))]
impl Before {
    pub(crate) fn now() -> Self {
        let costs = Box::new(all_costs());
        let at = nanoseconds();
        Self { costs, at }
    }

    /// What has been waited since.
    pub(crate) fn profile(&self, keys: Keys) -> Profile {
        Profile(Rows::new(&all_costs().since(&self.costs, self.at), keys))
    }
}

#[inline]
fn all_costs() -> Costs {
    costs::begin(Listeners::NONE);
    // So that those are charged who still wait.
    looks::queues();
    all_waits();
    costs::copy()
}

/// What [`profile`](profile()) gives.
///
/// [`Display`](fmt::Display) gives a table for people, the costliest first: how many were kept
/// waiting on average, which share of all that is, how many waits that was, and which key had
/// the most of it.
#[derive(Clone, Debug)]
pub struct Profile(Rows);

impl Profile {
    /// Writes a line for each pair of places, `cells;connect (src/cells.rs:41);refresh
    /// (src/cells.rs:90) 12107400`: the space, who had the lock, who waited, and how many
    /// nanoseconds. It is what tools that draw flame graphs read.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Examples
    ///
    /// ```
    /// lockutils::profile().write_folded(std::io::stdout())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_folded(&self, mut to: impl Write) -> io::Result<()> {
        for row in self.0.rows.iter().filter(|row| row.cost.nanoseconds > 0) {
            let [space, holder, waiter] =
                [row.space, &row.holder.text, &row.waiter.text].map(rows::frame);
            writeln!(to, "{space};{holder};{waiter} {}", row.cost.nanoseconds)?;
        }
        Ok(())
    }

    /// Writes the format of `pprof`, not compressed, which `go tool pprof FILE` and others read: two
    /// values, `contentions/count` and `delay/nanoseconds`, and the costliest keys by the label
    /// `key`.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut file = Vec::new();
    /// lockutils::profile().write_pprof(&mut file)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_pprof(&self, mut to: impl Write) -> io::Result<()> {
        to.write_all(&pprof::encode(&self.0))
    }
}

#[cfg(feature = "inspect")]
impl Profile {
    /// Writes the fields of an answer at the socket.
    pub(crate) fn write_json(&self, json: &mut crate::json::Json) {
        json::write(&self.0, json);
    }
}

impl fmt::Display for Profile {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Table(&self.0).fmt(f)
    }
}
