//! One connection with the server, and the task that drives it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use lockutils_remote::Fault;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Socket};

use crate::fault;

/// Something that connects, with TLS or without.
pub(crate) trait Dial: Send + Sync {
    fn dial<'a>(&'a self, config: &'a Config) -> Dialing<'a>;
}

type Dialing<'a> = Pin<Box<dyn Future<Output = Result<Dialed, Error>> + Send + 'a>>;

pub(crate) struct Dialed {
    client: Client,
    /// Drives the connection up to the next message that answers nothing.
    message: Box<dyn FnMut(&mut Context<'_>) -> Message + Send>,
    version: Option<String>,
}

type Message = Poll<Option<Result<AsyncMessage, Error>>>;

impl<T> Dial for T
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn dial<'a>(&'a self, config: &'a Config) -> Dialing<'a> {
        Box::pin(async move {
            let (client, mut connection) = config.connect(self.clone()).await?;
            let version = connection.parameter("server_version").map(str::to_owned);
            Ok(Dialed {
                client,
                message: Box::new(move |cx| connection.poll_message(cx)),
                version,
            })
        })
    }
}

/// A connection, which is cut when it is dropped.
pub(crate) struct Link {
    client: Mutex<Option<Arc<Client>>>,
    /// Why it has ended.
    ended: watch::Receiver<Option<String>>,
    /// What the server says it is.
    pub(crate) version: Option<String>,
    _driving: Task,
}

impl Link {
    /// Connects, and has somebody told of each notification.
    pub(crate) async fn open(
        dial: &dyn Dial,
        config: &Config,
        told: impl Fn(&str) + Send + 'static,
    ) -> Result<Self, Fault> {
        let dialed = dial.dial(config).await;
        let mut dialed = dialed.map_err(|error| fault::of_login(&error))?;
        let (end, ended) = watch::channel(None);
        let driving = Task(tokio::spawn(async move {
            let why = loop {
                match poll_fn(|cx| (dialed.message)(cx)).await {
                    Some(Ok(AsyncMessage::Notification(message))) => told(message.payload()),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => break fault::text(&error),
                    None => break "the connection was closed".to_owned(),
                }
            };
            end.send_replace(Some(why));
        }));
        Ok(Self {
            client: Mutex::new(Some(Arc::new(dialed.client))),
            ended,
            version: dialed.version,
            _driving: driving,
        })
    }

    pub(crate) fn client(&self) -> Result<Arc<Client>, Fault> {
        let client = self.lock().clone();
        client.ok_or_else(|| Fault::Over("the session was ended".into()))
    }

    /// Ends it, once what was asked is answered.
    pub(crate) fn end(&self) {
        self.lock().take();
    }

    /// Waits until it has ended, and says why.
    pub(crate) async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        let why = ended.wait_for(Option::is_some).await;
        why.ok()
            .and_then(|why| why.clone())
            .unwrap_or_else(|| "the connection was given up".to_owned())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Client>>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task that ends with the value.
pub(crate) struct Task(pub(crate) JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
