//! What a server's engine is: single questions to the server, and what each of them has come to.
//!
//! A [`Store`] knows how to reach the server, and a [`Session`] is one connection with it. Neither
//! repeats, times out, queues, spawns or decides anything: the agent does, which drops the future of
//! a question that takes too long. So each future is to be safe to drop at any await; what it
//! asked for may then still be done by the server, which the agent sees to.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A server that locks are taken at, as a URL or a configuration names it.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// One connection, or one client with its connections.
    type Session: Session;

    /// How its leases and its answers are.
    fn shape(&self) -> Shape;

    /// What texts call the server: its URL without user and password.
    fn name(&self) -> String;

    /// What the lock of a key is called at the server. Keys of one name are one lock.
    ///
    /// # Errors
    ///
    /// What is wrong with the key, and what to do: "it is empty; name something".
    fn locate(&self, prefix: &str, key: &str) -> Result<String, &'static str>;

    /// Connects, and refuses a server that can't keep the promises.
    fn open(
        &self,
        member: &Arc<Member>,
    ) -> impl Future<Output = Result<Self::Session, Fault>> + Send;
}

/// How the leases and the answers of a server are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Whether there is one lease for all that a session holds, which ends with the session. Else
    /// each hold has its own, and outlives the session.
    pub one_lease: bool,
    /// Whether the server deals with questions in the order in which their futures were polled
    /// first. Else the agent waits for the answer of a release before it asks for the name again.
    pub ordered: bool,
    /// Whether the server serves those who wait in the order in which they came, before anybody who
    /// comes later. Else a process that takes a lock again and again gives way to others.
    pub fair: bool,
    /// The shortest lease that the server can give.
    pub least_lease: Duration,
    /// The longest one.
    pub greatest_lease: Duration,
}

impl Shape {
    /// The longest lease of a server that has no limit of its own: 100 years, so that all clocks can count to its end.
    pub const LONGEST_LEASE: Duration = Duration::from_secs(36_500 * 86_400);

    /// Whether the server can give such a lease.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and which leases can be had.
    pub fn check_lease(&self, lease: Duration) -> Result<(), String> {
        let shortest = self.least_lease.max(Duration::from_secs(1));
        let longest = self.greatest_lease;
        if lease < shortest {
            let longest = days(longest);
            return Err(format!(
                "a lease of {lease:?} is too short; it is {shortest:?} at least, and {longest} at most"
            ));
        }
        if lease > longest {
            let (given, longest) = (days(lease), days(longest));
            return Err(format!(
                "a lease of {given} is too long; it is {longest} at most, and {shortest:?} at least"
            ));
        }
        Ok(())
    }
}

/// A long time in words.
fn days(time: Duration) -> String {
    let (days, rest) = (time.as_secs() / 86_400, time.as_secs() % 86_400);
    match (days, rest, time.subsec_nanos()) {
        (0, ..) => format!("{time:?}"),
        (_, 0, 0) => format!("{days} days"),
        _ => format!("more than {days} days"),
    }
}

/// Who asks: this process.
#[derive(Clone, Debug)]
pub struct Member {
    /// What the names of its locks begin with.
    pub prefix: String,
    /// The lease that it asks for.
    pub lease: Duration,
    /// How long the server may be silent.
    pub answer_timeout: Duration,
    /// The name of this host.
    pub host: String,
    /// Its number there.
    pub pid: u32,
    /// What it was started as.
    pub command: String,
    /// Whether that is another command, for which it has its locks: then no place of its own code is told.
    pub is_for_another: bool,
}

/// One hold of a lock, or the wish for it, from the first question to the release's answer.
#[derive(Clone, Debug)]
pub struct Claim {
    /// What [`Store::locate`] gave.
    pub name: String,
    /// The key, for people.
    pub key: String,
    /// No other claim has it, in whatever process. What was released isn't asked for with it again.
    pub nonce: u128,
    /// Together with other sharers, or alone.
    pub shared: bool,
    /// Where in the code, for people.
    pub site: String,
    /// When it was asked for, by this host's clock.
    pub since: SystemTime,
}

/// How a claim is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// By somebody who is told that it is busy, and goes.
    Once,
    /// By somebody who waits. Where the server has a queue, the claim joins it, or keeps its place;
    /// who gives up [releases](Session::release) it.
    Waiting,
}

/// What the server says to who asks for a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The claim has the lock, with this fencing token.
    Granted(u64),
    /// Somebody else has it, as far as is known.
    Busy(Option<Taken>),
}

/// Who has a lock, as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What the lock is called at the server.
    pub name: String,
    /// The key, where the server was told it.
    pub key: Option<String>,
    /// The host of the process.
    pub host: Option<String>,
    /// The process's number there.
    pub pid: Option<u32>,
    /// What the process was started as.
    pub command: Option<String>,
    /// Where in its code the lock was asked for.
    pub site: Option<String>,
    /// Since when, by the clock of that host.
    pub since: Option<SystemTime>,
    /// Its fencing token, if that can be seen.
    pub fence: Option<u64>,
    /// How many claims wait for it, as far as the server knows.
    pub waiting: usize,
}

/// What ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freed {
    /// It is worth to ask again.
    Ask,
    /// The claim has the lock, with this fencing token, since after the server has answered the last
    /// question for it.
    Granted(u64),
}

/// What [`Session::holders`] is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query<'a> {
    /// One lock, by its name at the server.
    Name(&'a str),
    /// All that have the member's prefix.
    All,
}

/// What a renewal has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All of them.
    All,
    /// Those of these numbers in the list are lost.
    AllBut(Vec<usize>),
}

/// What the server said by itself, or the connection did.
#[derive(Debug)]
pub enum Loss {
    /// The claim of this nonce is lost.
    Claim(u128),
    /// The session is over. With [`Shape::one_lease`] all that it held is lost.
    Session(Fault),
}

/// Why a question was not answered as it should have been.
#[derive(Debug)]
pub enum Fault {
    /// The server did nothing, nor will it; and asking again is of no use before somebody has seen
    /// to it. The text says what to do, behind a semicolon: a refused login, a right that is missing.
    /// A session whose server may do some of what it refuses, as an etcd does that becomes full, undoes it before it says
    /// this, or says [`Unknown`](Self::Unknown).
    Refused(Cause),
    /// The server did nothing, nor will it. It may be asked again.
    NotDone(Cause),
    /// Nobody knows whether the server did it, or will.
    Unknown(Cause),
    /// As unknown, and the session is over.
    Over(Cause),
}

/// What went wrong, and what is to be done. Never a password.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A connection with a server. Many questions may be asked at a time.
pub trait Session: Send + Sync + 'static {
    /// The lease that the server has given; no longer than it really lasts.
    fn lease(&self) -> Duration;

    /// Asks for a lock, in one round trip where it is free.
    ///
    /// A claim may be asked for again: if it has the lock by then, it is granted again, with its
    /// lease renewed; if it waits, it keeps its place. One whose outcome is unknown is
    /// released before that.
    fn acquire(
        &self,
        claim: &Claim,
        asked: Asked,
    ) -> impl Future<Output = Result<Answer, Fault>> + Send;

    /// Waits, after a busy answer to who waits, until it is worth to ask again: the server said so, or
    /// some time is over within which it may have failed to. It is ready at once where the lock
    /// was released between the answer and this call.
    ///
    /// A server may hand the lock over by itself, and say so; or a session may know by what it is told that the
    /// claim's place in the queue has become the lock. Nobody knows how long ago that was: where it has a
    /// lease of its own, that counts from before the question that was answered with busy.
    fn freed(&self, claim: &Claim) -> impl Future<Output = Result<Freed, Fault>> + Send;

    /// Releases the lock, or leaves its queue; whether the claim had the lock. Asking again changes
    /// nothing, nor does it touch any other claim.
    fn release(&self, claim: &Claim) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Renews the lease, or those of the claims, in one round trip. With [`Shape::one_lease`] the
    /// list may be empty, and has no meaning.
    fn renew(&self, claims: &[Arc<Claim>]) -> impl Future<Output = Result<Kept, Fault>> + Send;

    /// Is ready when the server, or the connection, says that something is lost. It is called again
    /// after each.
    fn lost(&self) -> impl Future<Output = Loss> + Send;

    /// Who holds what.
    fn holders(&self, query: Query<'_>) -> impl Future<Output = Result<Vec<Taken>, Fault>> + Send;

    /// Ends the session, and with [`Shape::one_lease`] its lease.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

impl Member {
    /// How long an attempt at one of so many servers may take, of which one will do: so that each is tried, and the
    /// last one has time to do the rest.
    #[must_use]
    pub fn share(&self, servers: usize) -> Duration {
        match u32::try_from(servers) {
            Ok(servers) if servers > 1 => self.answer_timeout / servers.saturating_add(1),
            _ => self.answer_timeout,
        }
    }
}

impl Fault {
    /// What has come of attempts at servers of which one would do, each with its name: they refuse it if each does, since one
    /// that doesn't may do it later. What nobody knows of isn't done, for who has no session of it.
    ///
    /// # Panics
    ///
    /// If there was no attempt.
    #[must_use]
    pub fn none_of(mut attempts: Vec<(String, Self)>) -> Self {
        if attempts.len() == 1 {
            return attempts.remove(0).1;
        }
        assert!(!attempts.is_empty(), "there was no attempt");
        let is_refused = attempts
            .iter()
            .all(|(_, fault)| matches!(fault, Self::Refused(_)));
        let each: Vec<_> = attempts
            .iter()
            .map(|(name, fault)| format!("{name} ({fault})"))
            .collect();
        let text = format!("none of its hosts can be used: {}", each.join(", "));
        if is_refused {
            Self::Refused(text.into())
        } else {
            Self::NotDone(text.into())
        }
    }

    /// What went wrong.
    #[must_use]
    pub fn into_cause(self) -> Cause {
        match self {
            Self::Refused(cause)
            | Self::NotDone(cause)
            | Self::Unknown(cause)
            | Self::Over(cause) => cause,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(cause)
            | Self::NotDone(cause)
            | Self::Unknown(cause)
            | Self::Over(cause) => fmt::Display::fmt(cause, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn several_servers_refuse_if_each_does_and_each_is_told() {
        let refused = || Fault::Refused("the password is wrong; check it".into());
        let unknown = || Fault::Unknown("it starts".into());
        let none_of = |faults: [Fault; 2]| {
            let [a, b] = faults;
            Fault::none_of(vec![("a:1".into(), a), ("b:2".into(), b)])
        };
        let fault = none_of([refused(), refused()]);
        assert!(matches!(fault, Fault::Refused(_)), "{fault:?}");
        for faults in [[refused(), unknown()], [unknown(), refused()]] {
            let fault = none_of(faults);
            assert!(matches!(fault, Fault::NotDone(_)), "{fault:?}");
        }
        let text = none_of([unknown(), refused()]).to_string();
        let each = "a:1 (it starts), b:2 (the password is wrong; check it)";
        assert_eq!(text, format!("none of its hosts can be used: {each}"));
        let alone = Fault::none_of(vec![("a:1".into(), unknown())]);
        assert!(matches!(alone, Fault::Unknown(_)), "{alone:?}");
        assert_eq!(alone.to_string(), "it starts");
    }
}
