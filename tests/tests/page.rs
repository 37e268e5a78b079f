//! The page of a service's locks, in a browser: what is on it, and that it stays what it is whatever keys
//! there are. Skipped where no Chromium is installed.

#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use lockutils::observe::{self, RecordOptions};
use lockutils::{Locks, inspect, named};
use lockutils_conformance::skip;
use lockutils_tests::{ByHand, Directory, eventually, in_time};
use serde_json::json;
use std::env;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Presses `Record`, and when that is done `Open in Perfetto`, whose page is played here: it answers
/// as that does, and what it is handed is written into the markup.
const CLICKS: &str = r#"<script>
window.open = (url) => ({
  postMessage(message, origin) {
    if (message === "PING") return dispatchEvent(new MessageEvent("message", { origin: url, data: "PONG" }));
    const trace = JSON.parse(new TextDecoder().decode(message.perfetto.buffer));
    const holds = trace.traceEvents.filter((event) => event.cat === "hold").length;
    document.body.dataset.handed = origin + (holds > 0 ? " has holds" : " has none");
  },
});
const button = (id) => document.getElementById(id);
button("record").click();
const until = setInterval(() => {
  if (button("record").textContent !== "Record again") return;
  clearInterval(until);
  button("perfetto").click();
}, 20);
</script>"#;

/// Tells again and again what the page has become.
const TELLS: &str = r#"<script>
(async function tell() {
  await fetch("told", { method: "POST", body: document.documentElement.outerHTML }).catch(() => {});
  setTimeout(tell, 50);
})();
</script>"#;

/// What a page has told last.
type Told = Arc<Mutex<String>>;

/// The service's routes, and those by which the page is used and not only looked at.
async fn answer(State(told): State<Told>, uri: Uri, body: String) -> Response {
    match uri.path() {
        "/" => return Html(page() + TELLS).into_response(),
        "/clicked" => return Html(page() + CLICKS + TELLS).into_response(),
        "/told" => {
            *told.lock().unwrap() = body;
            return StatusCode::NO_CONTENT.into_response();
        }
        // As `lockutils serve` has it, and shorter.
        "/record.json" => {
            let recorded = tokio::task::spawn_blocking(|| {
                let mut trace = Vec::new();
                let options = RecordOptions::default().lasting(Duration::from_millis(200));
                observe::record(&mut trace, &options).unwrap();
                trace
            });
            let json = [(header::CONTENT_TYPE, "application/json")];
            return (json, recorded.await.unwrap()).into_response();
        }
        _ => {}
    }
    match inspect::respond(uri.path()) {
        Some(page) => (
            StatusCode::from_u16(page.status()).unwrap(),
            [
                (header::CONTENT_TYPE, page.content_type().to_owned()),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ],
            page.body().to_vec(),
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn page() -> String {
    let page = inspect::respond("/").unwrap();
    String::from_utf8(page.body().to_vec()).unwrap()
}

/// A service with the page below `/locks/`, for as long as the runtime lives.
struct Service {
    address: SocketAddr,
    told: Told,
}

impl Service {
    fn start(runtime: &Runtime) -> Self {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let told = Told::default();
        let service = Router::new().fallback(answer).with_state(Arc::clone(&told));
        let routes = Router::new().nest_service("/locks", service);
        runtime.spawn(async { axum::serve(listener, routes).await });
        Self { address, told }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/locks/{path}", self.address)
    }

    /// Shows the page in a browser until it has all these parts, and gives it as markup; `None` without a browser.
    /// However long that takes: a browser's own count of time may come to a stop while a page waits for an answer.
    fn shown(&self, path: &str, parts: &[&str]) -> Option<String> {
        let directory = Directory::new();
        let log = directory.join("log");
        let mut browser = browser(&directory)?;
        browser.arg(self.url(path)).stdout(Stdio::null());
        browser.stderr(File::create(&log).unwrap());
        let _browser = Killed(browser.spawn().unwrap());
        let mut shown = String::new();
        eventually(&format!("{path} has {parts:?}"), || {
            shown.clone_from(&self.told.lock().unwrap());
            parts.iter().all(|part| shown.contains(part))
        });
        assert_is_quiet(&fs::read(&log).unwrap());
        Some(shown)
    }
}

/// A process that doesn't outlive what it is for.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A browser without a screen and without a network, if there is one.
fn browser(directory: &Path) -> Option<Command> {
    let is_there = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    let Some(name) = ["chromium", "google-chrome"].into_iter().find(is_there) else {
        let required = env::var_os("LOCKUTILS_SERVERS").is_some_and(|told| told == "required");
        assert!(
            !required,
            "chromium is not installed, and is required to be"
        );
        skip("chromium is not installed");
        return None;
    };
    let mut command = Command::new(name);
    command
        .args(["--headless=new", "--no-sandbox", "--disable-gpu"])
        .args(["--no-first-run", "--disable-dev-shm-usage"])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg("--enable-logging=stderr")
        // A part of the browser that isn't heard of for 15 s while it starts would end, and the page be empty for ever.
        .arg("--ipc-connection-timeout=300")
        .arg(format!("--user-data-dir={}", directory.display()))
        .env("HOME", directory);
    Some(command)
}

/// After so long a page that asks for nothing is what it is to be, and one that asks has been answered twice. Meanwhile
/// the browser counts no time.
const AFTER: &str = "--virtual-time-budget=2500";

/// What a saved page has become, as markup.
fn dump(directory: &Path, url: &str) -> Option<String> {
    let output = browser(directory)?
        .args([AFTER, "--dump-dom", url])
        .output();
    let Output { stdout, stderr, .. } = output.unwrap();
    assert_is_quiet(&stderr);
    Some(String::from_utf8(stdout).unwrap())
}

/// That no page has complained to the browser, by what that has said.
fn assert_is_quiet(said: &[u8]) {
    let said = String::from_utf8_lossy(said);
    let console: Vec<_> = { said.lines() }
        .filter(|line| line.contains("CONSOLE"))
        .collect();
    assert!(console.is_empty(), "{console:?}");
}

fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

/// A tab of the page, and what is to be on it, as markup.
const TABS: [(&str, &[&str]); 4] = [
    (
        "locks",
        &[
            "page/&lt;img src=x onerror=alert(1)&gt;",
            "● live",
            "2 wait, most of all for \"page/",
            "2 waiters behind",
            " in task \"req-81\"",
            "2 waiting, 1 held",
            "<rect",
        ],
    ),
    (
        "why",
        &[
            "<h2>1. \"page/&lt;img",
            "2 wait, most of all for \"page/",
            ", held by ",
            " in task \"req-81\" for at least ",
            "It waits for no lock itself",
            "in task \"&lt;/script&gt;\", ",
        ],
    ),
    (
        "profile",
        &[
            "<h2>page: tests/tests/page.rs:",
            "2 wait, most of all for ",
            "100 % of all waiting: ",
            "most for the key &lt;img src=x",
            "<li>waited at tests/tests/page.rs:",
        ],
    ),
    (
        "timeline",
        &[
            "<h2>\"page/&lt;img src=x",
            "Waits, and holds that were waited for",
            "1 hold, 2 waits of ",
            "last held by tests/tests/page.rs:",
            "<rect class=\"hold\"",
            "<rect class=\"wait\"",
        ],
    ),
];

async fn keep(locks: &Locks) {
    let _guard = locks.key("<img src=x onerror=alert(1)>").lock_async().await;
    std::future::pending::<()>().await;
}

#[test]
fn page_shows_who_holds_and_waits_in_a_browser() {
    in_time(|| {
        let runtime = Runtime::new().unwrap();
        let _ = lockutils::stats(); // The profile begins.
        let service = Service::start(&runtime);
        let locks = Locks::new("page");
        let mut tasks = ["req-81", "</script>", "b"].map(|label| {
            let task = named(label, keep(&locks));
            ByHand::new(task)
        });
        assert!(tasks.iter_mut().all(|task| task.poll().is_pending()));
        for (tab, parts) in TABS {
            let Some(shown) = service.shown(&format!("#{tab}"), parts) else {
                return;
            };
            assert!(!shown.contains("<img"), "{shown}");
        }
        for (tab, width) in [
            ("locks", 1280),
            ("why", 1280),
            ("profile", 1280),
            ("timeline", 1280),
            ("locks", 390),
            ("timeline", 390),
        ] {
            draw(
                &service.url(&format!("#{tab}")),
                &format!("{tab}-{width}.png"),
                width,
            );
        }
    });
}

#[test]
fn buttons_record_and_hand_what_is_recorded_to_perfetto() {
    in_time(|| {
        let runtime = Runtime::new().unwrap();
        let service = Service::start(&runtime);
        let (locks, is_over) = (Locks::new("clicks"), AtomicBool::new(false));
        thread::scope(|scope| {
            let take = || {
                while !is_over.load(Ordering::Relaxed) {
                    drop(locks.key("free").lock());
                    thread::sleep(Duration::from_millis(1));
                }
            };
            scope.spawn(take);
            let (path, parts) = (
                "clicked#timeline",
                [
                    "data-handed=\"https://ui.perfetto.dev has holds\"",
                    "All holds and waits of ",
                    "<h2>clicks/free</h2>",
                    "last held by tests/tests/page.rs:",
                    ">Record again</button>",
                ],
            );
            if service.shown(path, &parts).is_some() {
                draw(&service.url(path), "recorded-1280.png", 1280);
            }
            is_over.store(true, Ordering::Relaxed);
        });
    });
}

/// A saved page, whose long key and long waits are made up.
#[test]
fn holders_have_room_and_say_how_often_and_waits_are_whole() {
    in_time(|| {
        let wait = |lane| {
            json!({ "ph": "X", "cat": "wait", "pid": 2, "tid": lane, "ts": 0, "dur": 50_000_000,
                "name": "waits for cells/2f1c", "args": { "lock": "cells/2f1c", "site": "fetch" } })
        };
        let holder = json!({ "text": "connect (src/cells.rs:41) in thread \"w\"", "held_at_least_s": 1, "times": 2 });
        let lock = json!({ "space": "cells", "key": "very-long-key-".repeat(20), "queue": [],
            "holders": [holder], "waiters": 0, "waiter_s": 0 });
        let kept = json!({ "at": "now", "why": null, "profile": null, "waiting": [],
            "locks": { "locks": [lock], "left_off": 0, "waiters": 0, "held": 1 },
            "timeline": { "traceEvents": [wait(1), wait(2)], "otherData": { "lasted_s": 50 } } });
        let page = page().replace("id=\"kept\">", &format!("id=\"kept\">{kept}")) + MEASURE;
        let directory = Directory::new();
        let file = directory.join("saved.html");
        fs::write(&file, page).unwrap();
        let url = format!("file://{}", file.display());
        let Some(timeline) = dump(&directory, &format!("{url}#timeline")) else {
            return;
        };
        let whole = "2 waits of 100.0 s together, the longest 50.0 s";
        // Nobody has counted those who wait.
        let no_graph = "the last two minutes\" hidden=\"\">";
        assert_has(&timeline, &[whole, no_graph]);
        let locks = dump(&directory, &format!("{url}#locks")).unwrap();
        let again = "<td class=\"holder\">connect (src/cells.rs:41) in thread \"w\", 2 times</td>";
        assert_has(&locks, &["data-holders=\"have room\"", again]);
    });
}

/// Says whether the column of the holders has a third of the table's width.
const MEASURE: &str = r#"<script>
const holder = document.querySelector("td.holder");
if (holder) {
  const share = holder.offsetWidth / holder.closest("table").offsetWidth;
  document.body.dataset.holders = share > 1 / 3 ? "have room" : "have " + share;
}
</script>"#;

/// Has the browser draw the page, where a person wants to see it.
fn draw(url: &str, name: &str, width: u32) {
    let Some(kept) = env::var_os("LOCKUTILS_PICTURES") else {
        return;
    };
    let (directory, picture) = (Directory::new(), Path::new(&kept).join(name));
    let mut browser = browser(&directory).expect("it is there");
    let output = browser
        .arg(AFTER)
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("--window-size={width},900"))
        .arg(url)
        .output();
    assert!(picture.exists(), "{output:?}");
}

#[test]
fn page_is_small() {
    let page = inspect::respond("/").unwrap();
    // Without being compressed.
    assert!(page.body().len() < 30 * 1024, "{}", page.body().len());
}
