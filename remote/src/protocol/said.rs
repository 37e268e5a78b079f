//! What goes into the protocol, and what comes out of it.

use crate::store::{Answer, Asked, Cause, Claim, Fault, Freed, Kept, Shape, Taken};
use lockutils::ordered::Ranked;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A claim, or a question about holders, by a number that whoever asks has given it. No two have
/// one, and those of earlier questions are smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

/// A question to the server that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call(pub u64);

impl Ranked for Id {
    fn rank(self) -> [u64; 4] {
        self.0.rank()
    }
}

impl Ranked for Call {
    fn rank(self) -> [u64; 4] {
        self.0.rank()
    }
}

/// What the protocol goes by.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How the server is.
    pub shape: Shape,
    /// The lease that is asked for.
    pub lease: Duration,
    /// How long the server may be silent.
    pub answer_timeout: Duration,
    /// How many locks may be under way to be asked for or released at a time: the others are in line, or the
    /// last of some thousands would be taken for unanswered while the server is busy with the first.
    pub most: usize,
}

/// What is to be done, in this order.
#[derive(Debug)]
pub enum Effect {
    /// Ask the server; its answer goes to [`Protocol::answered`](super::Protocol::answered).
    Start(Call, Question),
    /// Drop the future of a question. There will be no answer.
    Abort(Call),
    /// Tell whoever asked.
    Tell(Id, News),
    /// Tell those that they have what they hold until that time, unless it is renewed again.
    Renewed(Vec<Id>, u64),
    /// There will be no more news of it.
    Forget(Id),
}

/// A question to the server. A session has the number of the call that has opened it.
#[derive(Debug)]
pub enum Question {
    /// Connect.
    Open,
    /// See [`Session::acquire`](crate::Session::acquire).
    Acquire(Call, Arc<Claim>, Asked),
    /// See [`Session::freed`](crate::Session::freed).
    Freed(Call, Arc<Claim>),
    /// See [`Session::release`](crate::Session::release).
    Release(Call, Arc<Claim>),
    /// See [`Session::renew`](crate::Session::renew).
    Renew(Call, Vec<Arc<Claim>>),
    /// See [`Session::holders`](crate::Session::holders).
    Holders(Call, Look),
    /// See [`Session::close`](crate::Session::close). What the session says by itself is of no
    /// interest any more.
    Close(Call),
}

/// Which holders one wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Those of one lock, by its name at the server.
    Name(String),
    /// All that have the prefix.
    All,
}

/// What a question has come to.
#[derive(Debug)]
pub enum Outcome {
    /// With the lease that the server has given.
    Opened(Result<Duration, Fault>),
    /// Of [`Question::Acquire`].
    Acquired(Result<Answer, Fault>),
    /// Of [`Question::Freed`].
    Freed(Result<Freed, Fault>),
    /// Of [`Question::Release`].
    Released(Result<bool, Fault>),
    /// Of [`Question::Renew`].
    Renewed(Result<Kept, Fault>),
    /// Of [`Question::Holders`].
    Seen(Result<Vec<Taken>, Fault>),
    /// Of [`Question::Close`].
    Closed,
}

/// What somebody who asked is told.
#[derive(Clone, Debug)]
pub enum News {
    /// It has the lock.
    Granted {
        /// The fencing token.
        fence: u64,
        /// When it is lost, unless it is renewed before.
        deadline: u64,
    },
    /// Somebody else has the lock. Who was to be told so has no claim any more, and who waits
    /// waits.
    Busy(Option<Taken>),
    /// The server can't be asked, or doesn't answer, and the claim is no more.
    Unavailable(Trouble),
    /// It is lost.
    Lost(LostBy),
    /// It was released; whether it was held until then.
    Released(bool),
    /// It is being released, but nobody knows whether it will be before its lease is over.
    Unreleased(Trouble),
    /// Who holds what.
    Seen(Vec<Taken>),
}

/// Why the server is of no use, for an error's text.
pub type Trouble = Arc<dyn Error + Send + Sync>;

/// How a lock was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostBy {
    /// Its lease is over, by the own clock.
    Time,
    /// The server says so.
    Server,
    /// The session with the server is over, which its lease was of.
    Session,
}

/// The server has said nothing for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Silent(pub(super) Duration);

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it has not answered for {:?}", self.0)
    }
}

impl Error for Silent {}

/// What was wrong, for all whom it concerns.
pub(super) fn trouble(cause: Cause) -> Trouble {
    Arc::from(cause)
}
