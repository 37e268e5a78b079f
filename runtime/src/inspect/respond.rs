//! The page and its data, for whoever has a web server.

use super::answer::{self, Context};
use crate::name::Keys;
use crate::profile::profile;
use crate::stats::stats;
use crate::timeline::record;
use std::borrow::Cow;
use std::io;
use std::sync::OnceLock;
use std::time::Instant;

/// Answers a request for a path with the page on which a browser shows the locks of this process, or with
/// its data, or with what tools read:
///
/// | path | |
/// |---|---|
/// | `/` | the page, which works without any other file or host |
/// | `/locks.json`, `/why.json`, `/profile.json` | what is on it, as the [socket](crate::inspect#protocol) says it |
/// | `/metrics` | [`stats`](crate::stats()), as Prometheus reads it |
/// | `/trace.json` | the last 4096 waits or so, and the holds that were waited for, since this is first asked for or the process [serves](crate::inspect), as a [timeline](crate::observe::record) |
/// | `/profile.folded`, `/profile.pb` | the [`profile`](crate::profile()), for flame graphs and for `pprof` |
///
/// `None` is for any other path.
///
/// Mount it below a path of the service that only its operators get to, since keys are shown as they
/// are; and so that the page's own path ends in `/`, as the page asks for its data beside it. It asks once a
/// second. A query is ignored.
///
/// Who has no web server in the service runs `lockutils serve` beside it.
///
/// # Examples
///
/// ```
/// use lockutils::inspect::respond;
///
/// let page = respond("/").expect("the page");
/// assert_eq!((page.status(), page.content_type()), (200, "text/html; charset=utf-8"));
///
/// let locks = respond("/locks.json").expect("its data");
/// assert!(locks.body().starts_with(b"{\"locks\":["));
/// assert!(respond("/favicon.ico").is_none());
/// ```
#[must_use]
pub fn respond(path: &str) -> Option<Response> {
    let (path, _) = path.split_once('?').unwrap_or((path, ""));
    let (content_type, body) = match path {
        "/" => {
            let page = include_bytes!("page.html");
            ("text/html; charset=utf-8", Cow::Borrowed(&page[..]))
        }
        "/metrics" => (
            "text/plain; version=0.0.4; charset=utf-8",
            stats().to_prometheus().into_bytes().into(),
        ),
        "/trace.json" => (
            "application/json",
            written(|to| {
                record::keep_last();
                record::write(record::last(Keys::Plain), to)
            }),
        ),
        "/profile.folded" => (
            "text/plain; charset=utf-8",
            written(|to| profile().write_folded(to)),
        ),
        "/profile.pb" => (
            "application/octet-stream",
            written(|to| profile().write_pprof(to)),
        ),
        _ => ("application/json", data(path)?.into()),
    };
    Some(Response { content_type, body })
}

/// What a path of the page's data has.
fn data(path: &str) -> Option<Vec<u8>> {
    static SINCE: OnceLock<Instant> = OnceLock::new();
    let what = path.strip_prefix('/')?.strip_suffix(".json")?;
    if !["locks", "profile", "why"].contains(&what) {
        return None;
    }
    let context = Context {
        keys: Keys::Plain,
        since: *SINCE.get_or_init(Instant::now),
    };
    answer::get(what, context).map(String::into_bytes)
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Cow<'static, [u8]> {
    let mut body = Vec::new();
    write(&mut body).expect("memory takes all");
    body.into()
}

/// What to answer a browser, see [`respond`](fn@respond). It is as of now, so that nobody is to keep it: send
/// `Cache-Control: no-store` with it.
#[derive(Clone, Debug)]
pub struct Response {
    content_type: &'static str,
    body: Cow<'static, [u8]>,
}

impl Response {
    /// The status of HTTP.
    #[must_use]
    pub const fn status(&self) -> u16 {
        200
    }

    /// The value of the header `Content-Type`.
    #[must_use]
    pub const fn content_type(&self) -> &str {
        self.content_type
    }

    /// The bytes of the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::respond;
    use crate::Locks;
    use crate::alone::is_alone;

    #[test]
    fn paths_are_those_of_the_page() {
        // Where others hold many locks, this one is left off.
        let name = "paths_are_those_of_the_page";
        if !is_alone(&format!("{}::{name}", module_path!())) {
            return;
        }
        let text = |path| respond(path).map(|it| String::from_utf8(it.body().to_vec()).unwrap());
        let locks = Locks::new("responds");
        let _guard = locks.key("</script>").lock();
        let found = text("/locks.json?limit=1").unwrap();
        assert!(found.contains("\"key\":\"</script>\""), "{found}");
        assert!(text("/why.json").unwrap().starts_with("{\"why\":{"));
        assert!(text("/profile.json").unwrap().starts_with("{\"profile\":["));
        assert!(
            text("/metrics")
                .unwrap()
                .contains("\nlockutils_build_info{")
        );
        assert!(text("/profile.folded").is_some());
        assert_eq!(
            respond("/profile.pb").unwrap().content_type(),
            "application/octet-stream"
        );
        for unknown in [
            "",
            "/x",
            "/.json",
            "locks.json",
            "/locks",
            "/json",
            "/metrics.json",
            "/why.json/",
        ] {
            assert!(respond(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn page_asks_for_nothing_elsewhere() {
        let page = respond("/").unwrap();
        let page = std::str::from_utf8(page.body()).unwrap();
        let namespace = "http://www.w3.org/2000/svg";
        // What opens a timeline, if somebody wants it to.
        let perfetto = "https://ui.perfetto.dev";
        let rest = page.replace(namespace, "").replace(perfetto, "");
        assert!(!rest.contains("://"));
        for markup in ["innerHTML =", "insertAdjacentHTML", "document.write"] {
            assert!(!page.contains(markup), "{markup}");
        }
    }
}
