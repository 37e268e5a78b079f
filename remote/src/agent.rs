//! The thread that talks to a server for one space: it has the questions asked that the
//! [`protocol`](crate::protocol) decides on, and tells the askers.
//!
//! Tokio is nowhere else, so those may be threads, and tasks of any executor. The thread is started
//! by the first question. It ends when nobody has the space or a hold of it any more, and all
//! is released.

use crate::asker::{Asker, Askers, unreached};
use crate::calls::Calls;
use crate::clock;
use crate::protocol::{Call, Effect, Id, Look, Outcome, Protocol, Question, Rules};
use crate::slot::{InTheWay, Promise, Slot};
use crate::store::{Asked, Claim, Fault, Loss, Member, Query, Session, Store};
use crate::timed::{Timed, is_answer};
use lockutils::engine::Question as Asks;
use lockutils::ordered::{OrderedMap, Ranked};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, Sleep, sleep_until};

/// The way to an agent. When the last one is dropped, the agent ends.
#[derive(Debug)]
pub(crate) struct Post {
    messages: UnboundedSender<Message>,
    last_id: AtomicU64,
    /// The process whose thread it is. The child of a fork has none.
    process: u32,
}

/// What an agent is told.
#[derive(Debug)]
pub(crate) enum Message {
    Ask(Id, Arc<Claim>, Asked, Asker),
    Look(Id, Look, Asker),
    Release(Id),
    Close(mpsc::Sender<()>),
    #[cfg(test)]
    Panic,
    #[cfg(test)]
    Pause(mpsc::Receiver<()>),
}

/// Who is to be told of what a future has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    Answer(Call),
    Loss(Call),
}

impl Ranked for Waits {
    fn rank(self) -> [u64; 4] {
        match self {
            Self::Answer(Call(call)) => [0, call, 0, 0],
            Self::Loss(Call(call)) => [1, call, 0, 0],
        }
    }
}

/// What a future has come to.
enum Done<S> {
    Opened(Result<S, Fault>),
    Answered(Outcome),
    Lost(Loss),
}

/// What has happened.
enum Event<S> {
    Message(Message),
    /// There will be no more messages.
    Deserted,
    Done(Waits, Done<S>),
    Time,
}

struct Agent<S: Store> {
    store: Arc<S>,
    member: Arc<Member>,
    /// What texts and metrics call the space.
    space: &'static str,
    protocol: Protocol,
    messages: UnboundedReceiver<Message>,
    /// Whether there will be none any more.
    is_deserted: bool,
    calls: Calls<Waits, Done<S::Session>>,
    sessions: OrderedMap<Call, Arc<S::Session>>,
    askers: Askers,
    /// Why the server can't be reached, since it was last tried in vain.
    unreached: Option<Arc<str>>,
    closing: Vec<mpsc::Sender<()>>,
    timer: Pin<Box<Sleep>>,
    /// When the timer is over.
    timer_end: u64,
}

/// How many locks are asked for or released at a time: enough that the server is never without work, and few enough
/// that it answers all of them long before it would be taken for silent.
const MAX_IN_FLIGHT: usize = 256;

/// How late the agent may see that the machine has slept, which stops Tokio's clock.
const LONGEST_TIMER: u64 = 1_000_000_000;

impl Post {
    /// Starts an agent's thread.
    pub(crate) fn open<S: Store>(
        store: &Arc<S>,
        member: &Arc<Member>,
        space: &'static str,
    ) -> io::Result<Self> {
        let (messages, receiver) = unbounded_channel();
        let (store, member) = (Arc::clone(store), Arc::clone(member));
        let (report, reports) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("lockutils-remote".to_owned());
        thread.spawn(move || {
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(report.send(Err(error))),
            };
            let _ = report.send(Ok(()));
            runtime.block_on(async { Agent::new(store, member, space, receiver).run().await });
        })?;
        match reports.recv() {
            Ok(result) => result?,
            Err(_) => return Err(io::Error::other("its thread has panicked")),
        }
        Ok(Self::to(messages))
    }

    /// The way to whoever reads the messages.
    pub(crate) fn to(messages: UnboundedSender<Message>) -> Self {
        Self {
            messages,
            last_id: AtomicU64::new(0),
            process: process::id(),
        }
    }

    /// Whether it is that of another process, whose fork this one is.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.process != process::id()
    }

    /// Whether its thread has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.messages.is_closed()
    }

    fn next_id(&self) -> Id {
        // Relaxed: the questions about one lock come one after the other, by the lock in the process.
        Id(self.last_id.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn ask(
        &self,
        claim: Claim,
        asked: Asked,
        slot: &Arc<Slot>,
        in_the_way: &Arc<InTheWay>,
    ) -> Id {
        let id = self.next_id();
        let tries = asked == Asked::Once;
        let from = Asker::new(Promise::of(slot), Arc::clone(in_the_way), tries);
        self.send(Message::Ask(id, Arc::new(claim), asked, from));
        id
    }

    pub(crate) fn look(&self, look: Look, slot: &Arc<Slot>) -> Id {
        let id = self.next_id();
        let from = Asker::new(Promise::of(slot), Arc::default(), true);
        self.send(Message::Look(id, look, from));
        id
    }

    /// Whoever has asked has gone, or its guard was dropped.
    pub(crate) fn release(&self, id: Id) {
        if !self.is_elsewhere() {
            self.send(Message::Release(id));
        }
    }

    /// What is told so, or dropped, once all is released that was dropped.
    pub(crate) fn close(&self) -> mpsc::Receiver<()> {
        let (closed, is_closed) = mpsc::channel();
        self.send(Message::Close(closed));
        is_closed
    }

    #[cfg(test)]
    pub(crate) fn panic(&self) {
        self.send(Message::Panic);
    }

    /// The agent stands still until what is returned is dropped.
    #[cfg(test)]
    pub(crate) fn pause(&self) -> mpsc::Sender<()> {
        let (goes_on, until) = mpsc::channel();
        self.send(Message::Pause(until));
        goes_on
    }

    fn send(&self, message: Message) {
        // Where nobody reads it, dropping it answers it.
        let _ = self.messages.send(message);
    }
}

impl<S: Store> Agent<S> {
    fn new(
        store: Arc<S>,
        member: Arc<Member>,
        space: &'static str,
        messages: UnboundedReceiver<Message>,
    ) -> Self {
        let rules = Rules {
            shape: store.shape(),
            lease: member.lease,
            answer_timeout: member.answer_timeout,
            most: MAX_IN_FLIGHT,
        };
        let now = clock::now();
        Self {
            protocol: Protocol::new(rules, now ^ u64::from(member.pid) << 32),
            store,
            member,
            space,
            messages,
            is_deserted: false,
            calls: Calls::new(),
            sessions: OrderedMap::new(),
            askers: Askers::new(),
            unreached: None,
            closing: Vec::new(),
            timer: Box::pin(sleep_until(Instant::now())),
            timer_end: now,
        }
    }

    async fn run(mut self) {
        loop {
            let event = poll_fn(|context| self.poll(context)).await;
            let now = clock::now();
            match event {
                Event::Message(message) => self.read(now, message),
                Event::Deserted => {
                    self.is_deserted = true;
                    self.protocol.close(now);
                }
                Event::Done(waits, done) => self.hear(now, waits, done),
                Event::Time => {
                    self.timer_end = u64::MAX;
                    self.protocol.pass(now);
                }
            }
            while let Some(effect) = self.protocol.effect() {
                self.perform(effect);
            }
            if self.ends() {
                return;
            }
            self.set_timer();
        }
    }

    /// Tells those who wait for it that all is released. Whether it was the last thing to do.
    fn ends(&mut self) -> bool {
        let is_awaited = self.is_deserted || !self.closing.is_empty();
        if !is_awaited || !self.protocol.is_settled() {
            return false;
        }
        self.closing.clear();
        self.is_deserted && self.protocol.is_idle()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Event<S::Session>> {
        if !self.is_deserted {
            match self.messages.poll_recv(context) {
                Poll::Ready(Some(message)) => return Poll::Ready(Event::Message(message)),
                Poll::Ready(None) => return Poll::Ready(Event::Deserted),
                Poll::Pending => {}
            }
        }
        if let Poll::Ready((waits, done)) = self.calls.poll(context) {
            return Poll::Ready(Event::Done(waits, done));
        }
        if self.timer_end < u64::MAX && self.timer.as_mut().poll(context).is_ready() {
            return Poll::Ready(Event::Time);
        }
        Poll::Pending
    }

    fn read(&mut self, now: u64, message: Message) {
        match message {
            Message::Ask(id, claim, asked, from) => {
                if let Some(why) = &self.unreached {
                    from.set_unreached(Some(why));
                }
                self.askers.insert(id, from);
                self.protocol.ask(now, id, claim, asked);
            }
            Message::Look(id, look, from) => {
                self.askers.insert(id, from);
                self.protocol.look(now, id, look);
            }
            Message::Release(id) => self.protocol.release(now, id),
            Message::Close(closed) => {
                self.closing.push(closed);
                self.protocol.close(now);
            }
            #[cfg(test)]
            Message::Panic => panic!("a test has the agent panic"),
            #[cfg(test)]
            Message::Pause(until) => drop(until.recv()),
        }
    }

    fn hear(&mut self, now: u64, waits: Waits, done: Done<S::Session>) {
        match (waits, done) {
            (Waits::Answer(call), Done::Opened(Ok(session))) => {
                let lease = session.lease();
                self.sessions.insert(call, Arc::new(session));
                self.listen(call);
                self.set_unreached(None);
                let outcome = Outcome::Opened(Ok(lease));
                self.protocol.answered(now, call, outcome);
            }
            (Waits::Answer(call), Done::Opened(Err(fault))) => {
                self.set_unreached(Some(unreached(&fault).into()));
                self.protocol
                    .answered(now, call, Outcome::Opened(Err(fault)));
            }
            (Waits::Answer(call), Done::Answered(outcome)) => {
                self.protocol.answered(now, call, outcome);
            }
            (Waits::Loss(call), Done::Lost(loss)) => {
                let goes_on = matches!(loss, Loss::Claim(_));
                self.protocol.lost(now, call, loss);
                if goes_on {
                    self.listen(call);
                }
            }
            (Waits::Answer(_), Done::Lost(_))
            | (Waits::Loss(_), Done::Opened(_) | Done::Answered(_)) => {
                unreachable!("each future has its own results")
            }
        }
    }

    /// Tells all who wait why the server can't be reached, or that it can: the protocol goes on trying, and
    /// who gives up meanwhile says so.
    fn set_unreached(&mut self, why: Option<Arc<str>>) {
        if why.is_none() && self.unreached.is_none() {
            return;
        }
        self.unreached = why;
        for asker in self.askers.values() {
            asker.set_unreached(self.unreached.as_ref());
        }
    }

    /// Waits for what a session says by itself.
    fn listen(&mut self, number: Call) {
        if let Some(session) = self.sessions.get(&number) {
            let session = Arc::clone(session);
            self.calls.start(Waits::Loss(number), async move {
                Done::Lost(session.lost().await)
            });
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Start(call, question) => self.start(call, question),
            Effect::Abort(call) => self.calls.stop(Waits::Answer(call)),
            Effect::Tell(id, news) => {
                if let Some(asker) = self.askers.get_mut(&id) {
                    asker.tell(news);
                }
            }
            Effect::Renewed(ids, deadline) => {
                for asker in ids.iter().filter_map(|id| self.askers.get(id)) {
                    asker.renewed(deadline);
                }
            }
            Effect::Forget(id) => drop(self.askers.remove(&id)),
        }
    }

    /// Starts a question, and polls it once: so that a session sends in this order.
    fn start(&mut self, call: Call, question: Question) {
        match question {
            Question::Open => {
                let (store, member) = (Arc::clone(&self.store), Arc::clone(&self.member));
                let timed = Timed::begin(self.space, Some(Asks::Connect));
                self.calls.start(Waits::Answer(call), async move {
                    let opened = store.open(&member).await;
                    timed.end(opened.is_ok());
                    Done::Opened(opened)
                });
            }
            Question::Acquire(of, claim, asked) => {
                self.ask(call, of, Some(Asks::Acquire), move |session| async move {
                    Outcome::Acquired(session.acquire(&claim, asked).await)
                });
            }
            Question::Freed(of, claim) => self.ask(call, of, None, move |session| async move {
                Outcome::Freed(session.freed(&claim).await)
            }),
            Question::Release(of, claim) => {
                self.ask(call, of, Some(Asks::Release), move |session| async move {
                    Outcome::Released(session.release(&claim).await)
                });
            }
            Question::Renew(of, claims) => {
                self.ask(call, of, Some(Asks::Renew), move |session| async move {
                    Outcome::Renewed(session.renew(&claims).await)
                });
            }
            Question::Holders(of, look) => {
                self.ask(call, of, Some(Asks::Look), move |session| async move {
                    let query = match &look {
                        Look::Name(name) => Query::Name(name),
                        Look::All => Query::All,
                    };
                    Outcome::Seen(session.holders(query).await)
                });
            }
            Question::Close(of) => {
                self.calls.stop(Waits::Loss(of));
                self.ask(call, of, None, |session| async move {
                    session.close().await;
                    Outcome::Closed
                });
                self.sessions.remove(&of);
            }
        }
    }

    /// `asks` says as what it is counted, if it is.
    fn ask<F>(
        &mut self,
        call: Call,
        of: Call,
        asks: Option<Asks>,
        question: impl FnOnce(Arc<S::Session>) -> F,
    ) where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let session = &self.sessions[&of];
        let answer = question(Arc::clone(session));
        let timed = Timed::begin(self.space, asks);
        self.calls.start(Waits::Answer(call), async move {
            let outcome = answer.await;
            timed.end(is_answer(&outcome));
            Done::Answered(outcome)
        });
    }

    /// Has the timer end in time. One that ends too soon may do so.
    fn set_timer(&mut self) {
        let Some(next) = self.protocol.next() else {
            return;
        };
        let now = clock::now();
        let next = next.min(now.saturating_add(LONGEST_TIMER));
        if next < self.timer_end {
            self.timer_end = next;
            let rest = Duration::from_nanos(next.saturating_sub(now));
            self.timer.as_mut().reset(Instant::now() + rest);
        }
    }
}
