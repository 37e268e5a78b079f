//! `lockutils serve`: a service's locks in a browser.
//!
//! The page is the library's, and asks for its data beside it; that comes from the service. The
//! server is for browsers of this host and user: it listens at the loopback address, below a path that
//! has a random word in it, and answers no page but its own.

use crate::args::ServeArgs;
use crate::exit;
use crate::profile;
use crate::record;
use crate::service::Service;
use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use lockutils::inspect;
use serde_json::json;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// What the browser may do for the page: run its script, and ask this server for data.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What there is beside the page, and of which type: what it asks for, and what tools read.
const ROUTES: [(&str, &str); 8] = [
    ("/locks.json", JSON),
    ("/profile.json", JSON),
    ("/record.json", JSON),
    ("/trace.json", JSON),
    ("/why.json", JSON),
    ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
    ("/profile.folded", "text/plain; charset=utf-8"),
    ("/profile.pb", "application/octet-stream"),
];

const JSON: &str = "application/json";

/// For how long the page records.
const RECORDED: Duration = Duration::from_secs(10);

struct Page {
    service: Mutex<Service>,
    /// Where its socket is, and the process that is to listen there.
    socket: (PathBuf, Option<u32>),
    /// Where it is, without the scheme: `127.0.0.1:4711`.
    host: String,
    /// The same by the host's name.
    host_by_name: String,
    /// The path that it is below, without the last slash.
    path: String,
    /// Why the service can't be asked any more.
    failed: Mutex<Option<anyhow::Error>>,
    has_failed: Notify,
}

pub(crate) fn run(args: &ServeArgs) -> Result<ExitCode> {
    let service = Service::find(args.service.service.as_deref())?;
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime
        .enable_all()
        .build()?
        .block_on(serve(service, args.port))
}

/// Serves until the service doesn't answer any more, which the page is told, too.
async fn serve(service: Service, port: u16) -> Result<ExitCode> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let listener = listener.with_context(|| format!("can't serve at port {port}"))?;
    let port = listener.local_addr()?.port();
    let name = service.hello.to_string();
    let page = Arc::new(Page {
        socket: (service.path.clone(), service.process),
        service: Mutex::new(service),
        host: format!("127.0.0.1:{port}"),
        host_by_name: format!("localhost:{port}"),
        path: format!("/{}", word()?),
        failed: Mutex::new(None),
        has_failed: Notify::new(),
    });
    writeln!(io::stdout(), "http://{}{}/", page.host, page.path)?;
    exit::say(format_args!(
        "shows the locks of {name} there, until Ctrl-C"
    ));
    let routes = Router::new().fallback(answer).with_state(Arc::clone(&page));
    let ends = Arc::clone(&page);
    axum::serve(listener, routes)
        .with_graceful_shutdown(async move { ends.has_failed.notified().await })
        .await?;
    let failed = page
        .failed
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// A word that nobody can guess.
fn word() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut word, byte| {
        let _ = write!(word, "{byte:02x}");
        word
    }))
}

async fn answer(State(page): State<Arc<Page>>, request: Request) -> Response {
    let (status, content_type, body) = match page.refuse(&request) {
        Some((status, why)) => (status, "text/plain", why.into()),
        None => page.find(request.uri().path()).await,
    };
    let response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, content_type)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .header(header::REFERRER_POLICY, "no-referrer")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header("cross-origin-resource-policy", "same-origin");
    response
        .body(Body::from(body))
        .expect("the parts are right")
}

type Answer = (StatusCode, &'static str, Vec<u8>);

impl Page {
    /// Why a request isn't answered, if it isn't one of the page's own.
    fn refuse(&self, request: &Request) -> Option<(StatusCode, &'static str)> {
        let one = |headers: &HeaderMap, name| {
            let value = headers.get(name)?;
            Some(value.to_str().unwrap_or_default().to_owned())
        };
        let host = one(request.headers(), header::HOST).unwrap_or_default();
        let is_own = [&self.host, &self.host_by_name].contains(&&host);
        let origin = one(request.headers(), header::ORIGIN);
        if !is_own || origin.is_some_and(|origin| origin != format!("http://{host}")) {
            // A name that leads here is none of ours, and somebody else's page neither.
            return Some((StatusCode::FORBIDDEN, "use the address that was printed\n"));
        }
        if request.method() != Method::GET {
            return Some((StatusCode::METHOD_NOT_ALLOWED, "there is only GET\n"));
        }
        let path = request.uri().path();
        let is_below = path
            .strip_prefix(&self.path)
            .is_some_and(|rest| rest.starts_with('/'));
        (!is_below).then_some((StatusCode::NOT_FOUND, "use the address that was printed\n"))
    }

    async fn find(self: &Arc<Self>, path: &str) -> Answer {
        let path = &path[self.path.len()..];
        if path == "/"
            && let Some(page) = inspect::respond("/")
        {
            let body = page.body().to_vec();
            return (StatusCode::OK, "text/html; charset=utf-8", body);
        }
        let mut routes = ROUTES.into_iter();
        let Some((route, content_type)) = routes.find(|(route, _)| *route == path) else {
            return (
                StatusCode::NOT_FOUND,
                "text/plain",
                "there is no such page\n".into(),
            );
        };
        let page = Arc::clone(self);
        let asked = tokio::task::spawn_blocking(move || page.ask(route)).await;
        match asked {
            Ok(Ok(answer)) => (StatusCode::OK, content_type, answer),
            // The service is there still, most likely, and the page asks for its locks soon.
            Ok(Err(error)) if route == "/record.json" => refused(&format!("{error:#}")),
            Ok(Err(error)) => refused(&self.fail(error)),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }

    fn ask(&self, route: &str) -> Result<Vec<u8>> {
        if route == "/record.json" {
            // By a connection of its own, since the page goes on meanwhile.
            let (path, process) = &self.socket;
            let mut service = Service::attach(path, *process)?;
            let wish = json!({ "record": { "seconds": RECORDED.as_secs() } });
            return Ok(record::ask(&mut service, &wish, RECORDED)?.0);
        }
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        let service = &mut *service;
        let what = match route {
            "/metrics" => {
                let answer = service.ask(&json!({ "get": "metrics" }))?;
                let text = answer["metrics"].as_str();
                let text = text.with_context(|| format!("{} speaks unclearly", service.hello))?;
                return Ok(text.into());
            }
            "/profile.folded" => return profile::written(service, Some("folded"), None),
            "/profile.pb" => return profile::written(service, Some("pb"), None),
            "/trace.json" => {
                let (timeline, _) = record::ask(service, &json!({ "trace": {} }), Duration::ZERO)?;
                return Ok(timeline);
            }
            "/locks.json" => "locks",
            "/profile.json" => "profile",
            _ => "why",
        };
        let answer = service.ask(&json!({ "get": what }))?;
        Ok(answer.to_string().into())
    }

    /// Has the command end with an error; gives its text.
    fn fail(&self, error: anyhow::Error) -> String {
        let text = format!("{error:#}");
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = Some(error);
        self.has_failed.notify_one();
        text
    }
}

/// What the page is told that has no answer.
fn refused(error: &str) -> Answer {
    let answer = json!({ "error": error });
    (StatusCode::BAD_GATEWAY, JSON, answer.to_string().into())
}
