//! The way to the cluster: one connection with one of its nodes, and the user's token.
//!
//! A question goes to the node at hand. If that can't be reached, has no answer, or has lost its
//! cluster, the next question goes to the next node, by a connection of its own; so it does with a
//! single node, whose connection may have died without a word.

use lockutils_remote::Fault;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::time::timeout;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

use crate::fault;
use crate::proto::AuthenticateRequest;
use crate::proto::auth_client::AuthClient;
use crate::url::Login;

/// How many questions of a kind are under way at most, but for renewals. Each takes some 12 kB here until
/// it is answered, and so many keep the server busy.
const MAX_IN_FLIGHT: usize = 128;

/// The kinds of questions, none of which waits behind those of another one: ten thousand guards may be
/// dropped at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// For locks, and whatever else they take.
    Take,
    /// What gives them back.
    GiveBack,
    /// About them.
    Look,
}

/// What the server gave for a login; `None` if it wants none.
type Token = Option<MetadataValue<Ascii>>;

pub(crate) struct Link {
    nodes: Vec<Endpoint>,
    at: watch::Sender<At>,
    /// How long the server may be silent.
    patience: Duration,
    login: Option<Login>,
    token: Mutex<Option<Token>>,
    /// For the questions under way, of each kind.
    places: [Semaphore; 3],
}

/// The connection at hand, and its number.
#[derive(Clone)]
struct At {
    turn: usize,
    channel: Channel,
}

impl Link {
    /// Begins with the node of a number, and connects with the first question.
    pub(crate) fn new(
        nodes: Vec<Endpoint>,
        turn: usize,
        login: Option<Login>,
        patience: Duration,
    ) -> Self {
        let channel = nodes[turn % nodes.len()].connect_lazy();
        let at = watch::Sender::new(At { turn, channel });
        Self {
            nodes,
            at,
            patience,
            login,
            token: Mutex::default(),
            places: [(); 3].map(|()| Semaphore::new(MAX_IN_FLIGHT)),
        }
    }

    /// The number of the connection at hand.
    pub(crate) fn turn(&self) -> usize {
        self.at.borrow().turn
    }

    /// Waits until another connection is at hand than that of the number.
    pub(crate) async fn moved(&self, turn: usize) {
        // It can't be closed, since `self` has the sender.
        let _ = self.at.subscribe().wait_for(|at| at.turn != turn).await;
    }

    /// Asks the node at hand, as soon as few enough others of the kind do.
    pub(crate) async fn ask<Q, A, F>(
        &self,
        kind: Kind,
        question: Q,
        send: impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<A, Fault>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        // Where there are others, they may know what this one waits for in vain: a question that was
        // on its way to a leader that has died is answered by nobody.
        let patience = match self.nodes.len() {
            1 => Duration::MAX,
            _ => self.patience / 2,
        };
        // It fails only where it is closed, which nobody does.
        let _place = self.places[kind as usize].acquire().await;
        // In a box, so that those that wait for a place are small.
        Box::pin(self.ask_within(patience, question, send)).await
    }

    /// Asks the node at hand, whoever else does, and gives up, on the node as well, when the time
    /// is over.
    pub(crate) async fn ask_within<Q, A, F>(
        &self,
        patience: Duration,
        question: Q,
        send: impl Fn(Channel, Request<Q>) -> F,
    ) -> Result<A, Fault>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let once = async |at: &At| {
            let token = self.token(at).await?;
            let request = with_token(Request::new(question.clone()), token.clone());
            let answer = send(at.channel.clone(), request).await;
            if answer.as_ref().is_err_and(fault::is_old_token) {
                self.forget(token).await;
            }
            answer
        };
        let at = self.at.borrow().clone();
        let silence = Silence {
            link: self,
            turn: at.turn,
            since: Instant::now(),
        };
        let twice = async {
            match once(&at).await {
                Err(status) if self.login.is_some() && fault::is_old_token(&status) => {
                    once(&at).await
                }
                answer => answer,
            }
        };
        let answer = timeout(patience, pin!(twice)).await;
        std::mem::forget(silence);
        let answer = answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer")));
        answer.map(Response::into_inner).map_err(|status| {
            if fault::is_of_node(&status) {
                self.move_on(at.turn);
            }
            fault::of(&status)
        })
    }

    /// The channel at hand with a request for a stream.
    pub(crate) async fn stream<Q>(&self, requests: Q) -> Result<(Channel, Request<Q>), Fault> {
        let at = self.at.borrow().clone();
        let token = self.token(&at).await.map_err(|status| fault::of(&status))?;
        let mut request = with_token(Request::new(requests), token);
        // Has the node end the stream if it loses its cluster.
        request
            .metadata_mut()
            .insert("hasleader", MetadataValue::from_static("true"));
        Ok((at.channel, request))
    }

    /// Leaves the connection of the number, if it is at hand still.
    pub(crate) fn move_on(&self, turn: usize) {
        self.at.send_if_modified(|at| {
            let moves = at.turn == turn;
            if moves {
                at.turn += 1;
                at.channel = self.nodes[at.turn % self.nodes.len()].connect_lazy();
            }
            moves
        });
    }

    async fn token(&self, at: &At) -> Result<Token, Status> {
        let Some(login) = &self.login else {
            return Ok(None);
        };
        // Held meanwhile, since each login costs the server much.
        let mut known = self.token.lock().await;
        if let Some(token) = &*known {
            return Ok(token.clone());
        }
        let Login {
            user: name,
            password,
        } = login.clone();
        let login = AuthenticateRequest { name, password };
        let token = match AuthClient::new(at.channel.clone())
            .authenticate(login)
            .await
        {
            Ok(answer) => Some(answer.into_inner().token.parse().map_err(|_| no_token())?),
            Err(status) if fault::is_without_users(&status) => None,
            Err(status) => return Err(status),
        };
        Ok(known.insert(token).clone())
    }

    async fn forget(&self, old: Token) {
        let mut known = self.token.lock().await;
        if known.as_ref() == Some(&old) {
            *known = None;
        }
    }
}

/// Leaves a node when a question to it is dropped that has been waiting for long.
struct Silence<'a> {
    link: &'a Link,
    turn: usize,
    since: Instant,
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        if self.since.elapsed() >= self.link.patience / 2 {
            self.link.move_on(self.turn);
        }
    }
}

fn with_token<Q>(mut request: Request<Q>, token: Token) -> Request<Q> {
    if let Some(token) = token {
        request.metadata_mut().insert("token", token);
    }
    request
}

fn no_token() -> Status {
    Status::internal("the server's token has characters that no token has")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::runtime::Builder;
    use tokio::task::{JoinSet, yield_now};

    /// A server that keeps its answers.
    struct Slow {
        link: Link,
        asked: AtomicUsize,
        answers: Semaphore,
    }

    impl Slow {
        async fn answer(&self) -> Result<Response<()>, Status> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.answers.acquire().await.unwrap().forget();
            Ok(Response::new(()))
        }

        async fn is_asked(&self, times: usize) {
            while self.asked.load(Ordering::Relaxed) < times {
                yield_now().await;
            }
        }
    }

    #[test]
    fn many_releases_take_turns_and_nothing_else_waits_for_them() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let node = Endpoint::from_static("http://127.0.0.1:1");
            let slow = Arc::new(Slow {
                link: Link::new(vec![node], 0, None, Duration::from_secs(60)),
                asked: AtomicUsize::new(0),
                answers: Semaphore::new(0),
            });
            let mut questions = JoinSet::new();
            for _ in 0..MAX_IN_FLIGHT + 10 {
                let slow = Arc::clone(&slow);
                let release = async move {
                    let answer = |_, _| slow.answer();
                    slow.link.ask(Kind::GiveBack, (), answer).await
                };
                questions.spawn(release);
            }
            slow.is_asked(MAX_IN_FLIGHT).await;
            // The others have been polled by then.
            yield_now().await;
            assert_eq!(slow.asked.load(Ordering::Relaxed), MAX_IN_FLIGHT);
            for kind in [Kind::Take, Kind::Look] {
                let slow = Arc::clone(&slow);
                questions.spawn(async move { slow.link.ask(kind, (), |_, _| slow.answer()).await });
            }
            slow.is_asked(MAX_IN_FLIGHT + 2).await;
            let renewing = Arc::clone(&slow);
            questions.spawn(async move {
                let link = &renewing.link;
                let patience = Duration::from_secs(60);
                link.ask_within(patience, (), |_, _| renewing.answer())
                    .await
            });
            slow.is_asked(MAX_IN_FLIGHT + 3).await;
            slow.answers.add_permits(MAX_IN_FLIGHT + 13);
            while let Some(answer) = questions.join_next().await {
                answer.unwrap().unwrap();
            }
            assert_eq!(slow.asked.load(Ordering::Relaxed), MAX_IN_FLIGHT + 13);
        });
    }
}
