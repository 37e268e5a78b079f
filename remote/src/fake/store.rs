//! The fake as a store: one server in memory, and a network that can be cut and slow.

use super::server::{FakeServer, NoSession};
use crate::clock;
use crate::slot::lock;
use crate::space::FromUrl;
use crate::store::{
    Answer, Asked, Claim, Fault, Freed, Kept, Loss, Member, Query, Session, Shape, Store, Taken,
};
use crate::url::Form;
use lockutils::engine::{Refusal, Sharable};
use lockutils::ordered::OrderedMap;
use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// A server in memory, as a store. Clones are the same server.
///
/// As a URL it is `memory://NAME`: one server for each name and process.
#[derive(Clone)]
pub struct FakeStore(Arc<Network>);

/// The server, and the way to it.
struct Network {
    name: String,
    state: Mutex<State>,
    /// Something has changed that somebody may wait for.
    changed: Notify,
}

struct State {
    server: FakeServer,
    is_cut: bool,
    delay: Duration,
    /// What sessions are to be told: the nonces of the claims that they have lost.
    losses: OrderedMap<u64, VecDeque<u128>>,
    /// The clients that there are.
    clients: u32,
}

/// A connection with a server in memory.
pub struct FakeSession {
    network: Arc<Network>,
    number: u64,
    lease: Duration,
}

/// Those that have a URL, which is their name.
static NAMED: Mutex<Vec<FakeStore>> = Mutex::new(Vec::new());

impl FakeStore {
    /// A server where nobody has anything.
    pub(super) fn new(name: &str) -> Self {
        Self(Arc::new(Network {
            name: name.to_owned(),
            state: Mutex::new(State {
                server: FakeServer::new(false),
                is_cut: false,
                delay: Duration::ZERO,
                losses: OrderedMap::new(),
                clients: 0,
            }),
            changed: Notify::new(),
        }))
    }

    /// How many clients there are besides the first.
    pub(super) fn count_client(&self) -> u32 {
        let clients = &mut lock(&self.0.state).clients;
        *clients += 1;
        *clients
    }

    pub(super) fn set_cut(&self, is_cut: bool) {
        self.0.change(|state| state.is_cut = is_cut);
    }

    pub(super) fn set_delay(&self, delay: Duration) {
        self.0.change(|state| state.delay = delay);
    }

    pub(super) fn restart(&self, keep: bool) {
        self.0.change(|state| {
            state.server.restart(keep);
            state.losses.clear();
        });
    }

    pub(super) fn lose(&self, prefix: &str, key: &str) {
        self.0.change(|state| {
            for (session, nonce) in state.server.lose(&name_of(prefix, key)) {
                state.losses.get_or_default(session).push_back(nonce);
            }
        });
    }
}

/// Not to be mistaken for that of another prefix, whatever is in either.
fn name_of(prefix: &str, key: &str) -> String {
    format!("{}/{prefix}/{key}", prefix.len())
}

impl Network {
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let it = change(&mut lock(&self.state));
        self.changed.notify_waiters();
        it
    }

    /// Waits until it isn't cut.
    async fn pass(&self) {
        self.until(|state| (!state.is_cut).then_some(())).await;
    }

    /// Waits until a look at the state gives something.
    async fn until<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            if let Some(it) = look(&mut lock(&self.state)) {
                return it;
            }
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            let (found, next) = {
                let mut state = lock(&self.state);
                (look(&mut state), state.server.next())
            };
            match (found, next) {
                (Some(it), _) => return it,
                (None, Some(next)) => {
                    // A lease that is over is a change as well.
                    let rest = clock::until(next).max(Duration::from_millis(1));
                    let _ = timeout(rest, changed).await;
                }
                (None, None) => changed.await,
            }
        }
    }

    /// A question and its answer.
    async fn ask<T>(
        &self,
        question: impl FnOnce(&mut FakeServer, u64) -> Result<T, NoSession>,
    ) -> Result<T, Fault> {
        self.pass().await;
        let (answer, delay) = self.change(|state| {
            let answer = question(&mut state.server, clock::now());
            (answer, state.delay)
        });
        if !delay.is_zero() {
            sleep(delay).await;
        }
        self.pass().await;
        answer.map_err(|NoSession| over())
    }
}

fn over() -> Fault {
    Fault::Over("it was restarted".into())
}

impl Store for FakeStore {
    type Session = FakeSession;

    fn shape(&self) -> Shape {
        Shape {
            one_lease: false,
            ordered: true,
            fair: true,
            least_lease: Duration::from_secs(1),
            greatest_lease: Shape::LONGEST_LEASE,
        }
    }

    fn name(&self) -> String {
        self.0.name.clone()
    }

    fn locate(&self, prefix: &str, key: &str) -> Result<String, &'static str> {
        if key.is_empty() {
            return Err("it is empty; name something");
        }
        Ok(name_of(prefix, key))
    }

    async fn open(&self, member: &Arc<Member>) -> Result<FakeSession, Fault> {
        let network = &self.0;
        let number = network
            .ask(|server, now| Ok(server.open(now, member)))
            .await?;
        Ok(FakeSession {
            network: Arc::clone(network),
            number,
            lease: member.lease,
        })
    }
}

/// Others in the process may have the lock as well, and other processes.
impl Sharable for FakeStore {}

impl Session for FakeSession {
    fn lease(&self) -> Duration {
        self.lease
    }

    async fn acquire(&self, claim: &Claim, asked: Asked) -> Result<Answer, Fault> {
        let number = self.number;
        let question = |server: &mut FakeServer, now| server.acquire(now, number, claim, asked);
        self.network.ask(question).await
    }

    async fn freed(&self, claim: &Claim) -> Result<Freed, Fault> {
        let look = |state: &mut State| {
            let freed = state.server.is_freed(clock::now(), self.number, claim);
            match freed {
                Ok(false) => None,
                _ if state.is_cut => None,
                Ok(true) => Some(Ok(Freed::Ask)),
                Err(NoSession) => Some(Err(over())),
            }
        };
        self.network.until(look).await
    }

    async fn release(&self, claim: &Claim) -> Result<bool, Fault> {
        let number = self.number;
        let question = |server: &mut FakeServer, now| server.release(now, number, claim);
        self.network.ask(question).await
    }

    async fn renew(&self, claims: &[Arc<Claim>]) -> Result<Kept, Fault> {
        let number = self.number;
        let question = |server: &mut FakeServer, now| server.renew(now, number, claims);
        self.network.ask(question).await
    }

    async fn lost(&self) -> Loss {
        let look = |state: &mut State| {
            if state.is_cut {
                return None;
            }
            if !state.server.has(clock::now(), self.number) {
                return Some(Loss::Session(over()));
            }
            let nonces = state.losses.get_mut(&self.number)?;
            nonces.pop_front().map(Loss::Claim)
        };
        self.network.until(look).await
    }

    async fn holders(&self, query: Query<'_>) -> Result<Vec<Taken>, Fault> {
        let number = self.number;
        let question = |server: &mut FakeServer, now| server.holders(now, number, query);
        self.network.ask(question).await
    }

    async fn close(&self) {
        self.network.pass().await;
        self.network.change(|state| {
            state.server.close(self.number);
            state.losses.remove(&self.number);
        });
    }
}

/// `memory://NAME`.
impl FromUrl for FakeStore {
    fn from_url(url: &str) -> Result<Self, Refusal> {
        const FORM: Form = Form {
            schemes: &["memory"],
            tls: &[],
            example: "memory://NAME",
        };
        let (_, name) = FORM.split(url).map_err(Refusal::invalid_url)?;
        if name.is_empty() {
            return Err(Refusal::invalid_url(FORM.wrong("it has no name")));
        }
        let mut named = lock(&NAMED);
        if let Some(store) = named.iter().find(|store| store.name() == url) {
            return Ok(store.clone());
        }
        let store = Self::new(url);
        named.push(store.clone());
        Ok(store)
    }
}

impl fmt::Debug for FakeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakeStore").field(&self.0.name).finish()
    }
}

impl fmt::Debug for FakeSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FakeSession").field(&self.number).finish()
    }
}
