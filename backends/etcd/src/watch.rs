//! The one stream by which the server tells what was deleted: the keys before those of who waits, the keys
//! of what is held, and the process's own key, with which its lease has ended.
//!
//! A task of its own reads it, as long as the session lives. When it breaks, all who wait are woken,
//! who then ask for themselves, and it is opened anew.

use lockutils_remote::Fault;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Streaming;

use crate::ask::{self, Range};
use crate::fault;
use crate::line::{Line, Turn};
use crate::link::{Kind, Link};
use crate::proto::watch_client::WatchClient;
use crate::proto::watch_create_request::FilterType;
use crate::proto::watch_request::RequestUnion;
use crate::proto::{WatchCancelRequest, WatchCreateRequest, WatchRequest, WatchResponse};

/// The number of the watch of the process's own key; the next ones are of who waits.
const MEMBER: i64 = 1;
/// Between two attempts to open the stream.
const RECONNECT_DELAY: Duration = Duration::from_millis(200);

pub(crate) struct Watches {
    orders: mpsc::UnboundedSender<Order>,
    next: AtomicI64,
    gone: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

enum Order {
    Begin { id: i64, keys: Range, wait: Wait },
    End { id: i64 },
}

/// Who waits for what becomes of a key.
struct Wait {
    line: Line,
    tell: oneshot::Sender<Turn>,
}

impl Watches {
    /// Watches the key of the process too.
    pub(crate) fn new(link: Arc<Link>, member: Vec<u8>) -> Self {
        let (orders, receiver) = mpsc::unbounded_channel();
        let (tell, gone) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut reader = Reader {
                link,
                member,
                orders: receiver,
                waits: HashMap::new(),
            };
            while let Err(_fault) = reader.read().await {
                // Who waits is woken by the end of its sender.
                reader.waits.clear();
                tokio::time::sleep(RECONNECT_DELAY).await;
            }
            tell.send_replace(true);
        });
        Self {
            orders,
            next: AtomicI64::new(MEMBER + 1),
            gone,
            task,
        }
    }

    /// Waits until a key is deleted, after that revision, or until nobody knows.
    pub(crate) async fn deleted(&self, key: Vec<u8>, seen_at: i64) {
        let line = Line::alone(key.clone(), seen_at);
        self.turn((key, Vec::new()), line).await;
    }

    /// Waits, among the keys of a lock, until a claim's own is the first of them, or is deleted; `None` when
    /// nobody knows any more.
    pub(crate) async fn turn(&self, keys: Range, line: Line) -> Option<Turn> {
        struct End<'a>(&'a Watches, i64);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                let _ = self.0.orders.send(Order::End { id: self.1 });
            }
        }
        // Only different from the others; nothing else is published by it.
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = oneshot::channel();
        let wait = Wait { line, tell };
        let _ = self.orders.send(Order::Begin { id, keys, wait });
        let _end = End(self, id);
        told.await.ok()
    }

    /// Waits until the process's own key is gone, and its lease with it.
    pub(crate) async fn gone(&self) {
        let _ = self.gone.clone().wait_for(|gone| *gone).await;
    }
}

impl Drop for Watches {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the task has.
struct Reader {
    link: Arc<Link>,
    member: Vec<u8>,
    orders: mpsc::UnboundedReceiver<Order>,
    waits: HashMap<i64, Wait>,
}

/// What the server is told.
type Requests = mpsc::UnboundedSender<WatchRequest>;

impl Reader {
    /// Opens the stream and reads it, until the process's own key is gone, or another connection is at hand. What
    /// this one doesn't answer is answered by nobody then.
    async fn read(&mut self) -> Result<(), Fault> {
        let link = self.link.clone();
        let turn = link.turn();
        tokio::select! {
            ended = self.read_from(turn) => ended,
            () = link.moved(turn) => Err(broken()),
        }
    }

    async fn read_from(&mut self, turn: usize) -> Result<(), Fault> {
        let own = ask::one(self.member.clone());
        let own = ask::range(&self.link, Kind::Look, own).await?;
        if own.kvs.is_empty() {
            return Ok(());
        }
        let (requests, receiver) = mpsc::unbounded_channel();
        // The first goes along with the opening, which has no answer without it.
        let revision = own.header.map_or(0, |header| header.revision);
        let keys = (self.member.clone(), Vec::new());
        begin(&requests, MEMBER, keys, revision);
        let stream = UnboundedReceiverStream::new(receiver);
        let (channel, request) = self.link.stream(stream).await?;
        let ended = match WatchClient::new(channel).watch(request).await {
            Ok(stream) => self.serve(&requests, stream.into_inner()).await,
            Err(status) => Err(fault::of(&status)),
        };
        if ended.is_err() {
            self.link.move_on(turn);
        }
        ended
    }

    async fn serve(
        &mut self,
        requests: &Requests,
        mut stream: Streaming<WatchResponse>,
    ) -> Result<(), Fault> {
        loop {
            tokio::select! {
                Some(order) = self.orders.recv() => self.obey(order, requests),
                message = stream.message() => {
                    let message = message.map_err(|status| fault::of(&status))?;
                    if self.hear(&message.ok_or_else(broken)?, requests)? {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn obey(&mut self, order: Order, requests: &Requests) {
        match order {
            Order::Begin { id, keys, wait } => {
                begin(requests, id, keys, wait.line.seen_at);
                self.waits.insert(id, wait);
            }
            Order::End { id } => {
                if self.waits.remove(&id).is_some() {
                    end(requests, id);
                }
            }
        }
    }

    /// Wakes who waits for it; whether the process's own key is gone.
    fn hear(&mut self, message: &WatchResponse, requests: &Requests) -> Result<bool, Fault> {
        let WatchResponse {
            watch_id: id,
            created,
            canceled,
            events,
            ..
        } = message;
        // One that was refused, as they all are once the token is old that the stream was opened with. It has its own
        // number or none, by the server's version.
        if *canceled && (*created || *id == MEMBER) {
            return Err(broken());
        }
        if *id == MEMBER {
            return Ok(!events.is_empty());
        }
        if !canceled && events.is_empty() {
            return Ok(false);
        }
        let Some(wait) = self.waits.get_mut(id) else {
            return Ok(false);
        };
        if *canceled {
            self.waits.remove(id);
        } else if let Some(turn) = wait.line.hear(events) {
            let wait = self.waits.remove(id);
            let _ = wait.map(|wait| wait.tell.send(turn));
            end(requests, *id);
        }
        Ok(false)
    }
}

/// Has the server tell what is deleted after a revision.
fn begin(requests: &Requests, watch_id: i64, (key, range_end): Range, seen_at: i64) {
    let filters = vec![FilterType::Noput.into()];
    let create = WatchCreateRequest {
        key,
        range_end,
        // From the same one, it would tell up to 100 ms late.
        start_revision: seen_at + 1,
        filters,
        watch_id,
    };
    let request_union = Some(RequestUnion::CreateRequest(create));
    // Else the stream is at its end, which the reader is about to see.
    let _ = requests.send(WatchRequest { request_union });
}

fn end(requests: &Requests, watch_id: i64) {
    let cancel = WatchCancelRequest { watch_id };
    let request_union = Some(RequestUnion::CancelRequest(cancel));
    let _ = requests.send(WatchRequest { request_union });
}

fn broken() -> Fault {
    Fault::Unknown("the stream of watches has ended".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;
    use tokio::runtime::Builder;
    use tokio::time::timeout;
    use tonic::transport::Endpoint;

    /// Longer than anything takes that isn't broken.
    const LONG: Duration = Duration::from_secs(60);

    /// Else who waits would ask and be refused without end, by a stream whose token is old.
    #[test]
    fn watch_that_is_refused_ends_the_stream() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let _entered = runtime.enter();
        let node = Endpoint::from_static("http://127.0.0.1:1");
        let (tell, _told) = oneshot::channel();
        let line = Line::alone(b"k".to_vec(), 1);
        let mut reader = Reader {
            link: Arc::new(Link::new(vec![node], 0, None, LONG)),
            member: b"member".to_vec(),
            orders: mpsc::unbounded_channel().1,
            waits: HashMap::from([(2, Wait { line, tell })]),
        };
        let (requests, _receiver) = mpsc::unbounded_channel();
        let mut answer = |watch_id, created| {
            let canceled = true;
            let message = WatchResponse {
                watch_id,
                created,
                canceled,
                ..WatchResponse::default()
            };
            reader.hear(&message, &requests)
        };
        // By older versions of the server, and by newer ones.
        for id in [2, -1] {
            assert!(answer(id, true).is_err(), "{id}");
        }
        // What is only compacted is asked for anew by who waits for it.
        assert!(!answer(2, false).unwrap());
    }

    #[test]
    fn connection_that_was_left_is_not_waited_for() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            // It accepts, and never answers.
            let node = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", node.local_addr().unwrap());
            let nodes = vec![Endpoint::from_shared(url).unwrap()];
            let link = Arc::new(Link::new(nodes, 0, None, LONG));
            let _watches = Watches::new(Arc::clone(&link), b"member".to_vec());
            let mut connections = Vec::new();
            for turn in 0..3 {
                let connection = timeout(LONG, node.accept()).await;
                connections.push(connection.expect("it asks again").unwrap());
                link.move_on(turn);
            }
        });
    }
}
