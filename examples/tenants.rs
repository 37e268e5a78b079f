//! One report at a time for each tenant, and a 503 for who waits too long: `acquire_timeout`.
//!
//! The handler returns a `Result`, whose error is made from `lockutils::Error` and is a
//! response. The timeout is for the wait, not for the report, and the wait blocks no thread.
//!
//! ```text
//! cargo run --example tenants
//! ```

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use lockutils::synchronized;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::{self, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

/// Begins a query: whose it is, and where its end is awaited.
type Database = mpsc::UnboundedSender<(String, oneshot::Sender<u32>)>;

#[synchronized("report-{tenant}", acquire_timeout = "50ms")]
async fn report(
    Path(tenant): Path<String>,
    State(database): State<Database>,
) -> Result<String, Unavailable> {
    let (answer, answered) = oneshot::channel();
    database.send((tenant, answer)).expect("a database");
    let sales = answered.await.expect("an answer");
    Ok(format!("{sales} sales"))
}

struct Unavailable(lockutils::Error);

impl From<lockutils::Error> for Unavailable {
    fn from(error: lockutils::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Unavailable {
    fn into_response(self) -> Response {
        println!("503: {}", self.0);
        (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")]).into_response()
    }
}

/// What a client does.
async fn get(server: SocketAddr, tenant: &str) -> io::Result<String> {
    let mut connection = TcpStream::connect(server).await?;
    let request = format!("GET /reports/{tenant} HTTP/1.0\r\n\r\n");
    connection.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    connection.read_to_string(&mut response).await?;
    Ok(response)
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let (database, mut queries) = mpsc::unbounded_channel();
    let routes = Router::new().route("/reports/{tenant}", routing::get(report));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let server = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, routes.with_state(database)).into_future());

    let acme = tokio::spawn(get(server, "acme"));
    let (_, end_acme) = queries.recv().await.expect("a query");
    // That isn't done, and a second one of the tenant doesn't get as far as a query.
    assert!(get(server, "acme").await?.starts_with("HTTP/1.0 503"));
    let globex = tokio::spawn(get(server, "globex"));
    let (tenant, end_globex) = queries.recv().await.expect("a query");
    assert_eq!(tenant, "globex");

    end_globex.send(3).expect("a handler waits");
    end_acme.send(7).expect("a handler waits");
    assert!(acme.await??.ends_with("7 sales"));
    assert!(globex.await??.ends_with("3 sales"));
    Ok(())
}
