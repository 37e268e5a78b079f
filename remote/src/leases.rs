//! Locks of a server as an engine: in the process first, as all engines, and then the agent is asked.

use crate::agent::Post;
use crate::clock;
use crate::protocol::{Id, Look};
use crate::slot::{InTheWay, Reply, Slot, lock};
use crate::store::{Asked, Claim, Member, Store, Taken};
use lockutils::engine::{
    Answer, Ask, By, Engine, InUse, Lease, Mode, Patience, Places, Refusal, Sharable, remember,
};
use lockutils::{Holder, Key};
use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::process;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, mpsc};
use std::task::{Context, Poll, Waker, ready};
use std::time::SystemTime;

/// The engine of a server's locks, for a [`Remote`](crate::Remote).
pub struct Leases<S> {
    store: Arc<S>,
    member: Arc<Member>,
    /// What texts call the space, and the locks of it that are in use. Made when the space is used
    /// first, and so has its settings.
    named: OnceLock<(&'static str, Places<Lock>)>,
    post: Mutex<Option<Arc<Post>>>,
    /// The process that has an agent, or zero.
    process: AtomicU32,
}

/// What is known of a lock while somebody in this process uses it.
#[derive(Debug)]
pub struct Lock {
    /// Its name at the server.
    name: String,
    in_the_way: Arc<InTheWay>,
}

/// What somebody who waits for a server's lock has. Dropping it gives the lock back that
/// was granted meanwhile.
#[derive(Debug, Default)]
pub struct LeaseWait(Option<Question>);

/// A lock of a server that is held; dropping it releases.
#[derive(Debug)]
pub struct LeaseHold {
    lease: Lease,
    id: Id,
    post: Arc<Post>,
}

/// A question to the agent.
#[derive(Debug)]
struct Question {
    slot: Arc<Slot>,
    id: Id,
    post: Arc<Post>,
    /// Whether it is answered, and the answer was taken.
    is_over: bool,
}

/// A question about holders.
#[derive(Debug)]
pub(crate) struct Looking(Question);

impl<S: Store> Leases<S> {
    pub(crate) fn new(store: Arc<S>, member: Arc<Member>) -> Self {
        Self {
            store,
            member,
            named: OnceLock::new(),
            post: Mutex::default(),
            process: AtomicU32::new(0),
        }
    }

    #[cfg(test)]
    pub(crate) fn agent(&self) -> Arc<Post> {
        self.post().expect("it can be started")
    }

    /// Has what would be told to an agent of its own go this way.
    #[cfg(test)]
    pub(crate) fn set_agent(&self, post: Post) {
        *lock(&self.post) = Some(Arc::new(post));
        self.process.store(process::id(), Ordering::Relaxed);
    }

    /// Has it seem that the agent is that of another process.
    #[cfg(test)]
    pub(crate) fn fork(&self) {
        self.process.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) const fn store(&self) -> &Arc<S> {
        &self.store
    }

    pub(crate) const fn member(&self) -> &Arc<Member> {
        &self.member
    }

    fn named(&self) -> &(&'static str, Places<Lock>) {
        self.named.get_or_init(|| {
            let mut name = self.store.name();
            if !self.member.prefix.is_empty() {
                name = format!("{name}/{}", self.member.prefix);
            }
            let name = remember(name);
            (name, Places::new(name))
        })
    }

    /// Refuses the child of a fork, which has a copy of the space, and neither its agent nor the threads that
    /// hold its locks.
    fn refuse_fork(&self) -> Result<(), Refusal> {
        // Relaxed: it was written before a fork, or by this process.
        let process = self.process.load(Ordering::Relaxed);
        if process == 0 || process == process::id() {
            return Ok(());
        }
        Err(Refusal::unavailable(
            "this process is the fork of another one, whose connection it can't use; have it \
             make a space of its own, or start a program",
        ))
    }

    /// The agent of this process, which is started if there is none.
    fn post(&self) -> Result<Arc<Post>, Refusal> {
        // Before the post, since its mutex may be somebody's that isn't here.
        self.refuse_fork()?;
        let mut post = lock(&self.post);
        if let Some(post) = post.as_ref().filter(|post| !post.is_closed()) {
            return Ok(Arc::clone(post));
        }
        let opened = Post::open(&self.store, &self.member, self.named().0).map_err(|error| {
            Refusal::unavailable(
                "the thread that talks to its server can't be started; see the \
                                  limits of the process",
            )
            .with_source(error)
        })?;
        self.process.store(process::id(), Ordering::Relaxed);
        Ok(Arc::clone(post.insert(Arc::new(opened))))
    }

    /// Asks the agent for a lock.
    fn ask(&self, place: &Lock, ask: &Ask<'_>, by: &By<'_>) -> Result<Question, Refusal> {
        let post = self.post()?;
        let claim = Claim {
            name: place.name.clone(),
            key: ask.key.as_str().to_owned(),
            nonce: nonce(),
            shared: ask.mode == Mode::Shared,
            site: ask.site.to_string(),
            since: SystemTime::now(),
        };
        let asked = if ask.waits(by) {
            Asked::Waiting
        } else {
            Asked::Once
        };
        let slot = Arc::default();
        let id = post.ask(claim, asked, &slot, &place.in_the_way);
        Ok(Question::new(slot, id, post))
    }

    /// Asks who holds what.
    pub(crate) fn look(&self, look: Look) -> Result<Looking, Refusal> {
        let post = self.post()?;
        let slot = Arc::default();
        let id = post.look(look, &slot);
        Ok(Looking(Question::new(slot, id, post)))
    }

    /// What is told so, or dropped, once all is released that was dropped. `None` if nothing was
    /// ever asked in this process.
    pub(crate) fn close(&self) -> Option<mpsc::Receiver<()>> {
        let process = self.process.load(Ordering::Relaxed);
        if process != process::id() {
            return None;
        }
        let post = lock(&self.post).clone()?;
        Some(post.close())
    }
}

impl<S: Store> Engine for Leases<S> {
    type Place = InUse<Lock>;
    type Wait = LeaseWait;
    type Hold = LeaseHold;
    type Proof = Lease;

    fn name(&self) -> &'static str {
        self.named().0
    }

    fn locate(&self, key: &Key) -> Result<Key, Refusal> {
        // Before the queue, where a child would wait for a thread of its parent.
        self.refuse_fork()?;
        let name = self.store.locate(&self.member.prefix, key.as_str());
        name.map(Key::new).map_err(Refusal::invalid_key)
    }

    fn place(&self, name: &Key) -> Result<InUse<Lock>, Refusal> {
        let (_, places) = self.named();
        Ok(places.of(name, || Lock {
            name: name.as_str().to_owned(),
            in_the_way: Arc::default(),
        }))
    }

    fn poll(
        &self,
        place: &mut InUse<Lock>,
        LeaseWait(question): &mut LeaseWait,
        ask: &Ask<'_>,
        by: &By<'_>,
    ) -> Poll<Result<Answer<LeaseHold>, Refusal>> {
        let question = match question {
            Some(question) => question,
            none => none.insert(self.ask(place, ask, by)?),
        };
        match question.poll(|| by.waker()) {
            Poll::Ready(Reply::Granted(lease)) => {
                let (id, post) = (question.id, Arc::clone(&question.post));
                Poll::Ready(Ok(Answer::Granted(LeaseHold { lease, id, post })))
            }
            Poll::Ready(Reply::Refused(refusal)) => Poll::Ready(Err(refusal)),
            Poll::Ready(Reply::Busy | Reply::Seen(_)) => Poll::Ready(Ok(Answer::Busy)),
            Poll::Pending if by.patience() == Patience::Last => Poll::Ready(Ok(Answer::Busy)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn proof(hold: &LeaseHold) -> Lease {
        hold.lease.clone()
    }

    fn is_behind(&self, _place: &InUse<Lock>, LeaseWait(question): &LeaseWait) -> bool {
        let question = question.as_ref();
        question.is_some_and(|question| question.slot.is_busy())
    }

    fn unanswered(
        &self,
        _place: &InUse<Lock>,
        LeaseWait(question): &LeaseWait,
    ) -> Option<Cow<'static, str>> {
        question.as_ref()?.slot.unanswered()
    }

    fn holder(&self, place: &InUse<Lock>) -> Option<Holder> {
        Some(holder(&place.in_the_way.get()?))
    }
}

/// Where its server has shared locks.
impl<S: Store + Sharable> Sharable for Leases<S> {}

impl Question {
    fn new(slot: Arc<Slot>, id: Id, post: Arc<Post>) -> Self {
        let is_over = false;
        Self {
            slot,
            id,
            post,
            is_over,
        }
    }

    fn poll(&mut self, waker: impl FnOnce() -> Waker) -> Poll<Reply> {
        let reply = ready!(self.slot.poll(waker));
        self.is_over = true;
        Poll::Ready(reply)
    }
}

/// Whoever asked has gone: what is granted is released.
impl Drop for Question {
    fn drop(&mut self) {
        if !self.is_over {
            self.post.release(self.id);
        }
    }
}

impl Future for Looking {
    type Output = Result<Vec<Taken>, Refusal>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let reply = ready!(self.0.poll(|| context.waker().clone()));
        Poll::Ready(match reply {
            Reply::Seen(holders) => Ok(holders),
            Reply::Refused(refusal) => Err(refusal),
            Reply::Granted(_) | Reply::Busy => unreachable!("it is no answer to who looks"),
        })
    }
}

impl Drop for LeaseHold {
    fn drop(&mut self) {
        // In the fork of a process, whose lock it isn't, somebody who isn't there may have a mutex.
        if !self.post.is_elsewhere() {
            self.lease.release_begins();
            self.post.release(self.id);
        }
    }
}

impl<S: Store> fmt::Debug for Leases<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leases")
            .field("server", &self.store.name())
            .field("prefix", &self.member.prefix)
            .field("ttl", &self.member.lease)
            .finish_non_exhaustive()
    }
}

/// Who has a lock, for texts.
pub(crate) fn holder(taken: &Taken) -> Holder {
    let mut holder = match taken.pid {
        Some(pid) => Holder::of_process(pid),
        None => Holder::unknown(),
    };
    if let Some(host) = &taken.host {
        holder = holder.with_host(host);
    }
    if let Some(command) = &taken.command {
        holder = holder.with_command(command);
    }
    if let Some(site) = &taken.site {
        holder = holder.with_place(site);
    }
    match taken.since {
        Some(since) => holder.with_since(since),
        None => holder,
    }
}

/// A number that no other claim has, in whatever process, be it the fork of this one.
fn nonce() -> u128 {
    static RANDOM: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Relaxed: that it is another one is all there is to it.
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let (process, now) = (process::id(), clock::now());
    let half = |part: u8| u128::from(RANDOM.hash_one((process, now, count, part)));
    half(0) << 64 | half(1)
}
