//! `lockutils profile`: where in a service's code locks cost others their time.

use crate::answer;
use crate::args::ProfileArgs;
use crate::exit::NoService;
use crate::output::Output;
use crate::service::Service;

use anyhow::{Context as _, Result};
use lockutils::inspect;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

/// How long a service has to answer when its time is over.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(args: &ProfileArgs) -> Result<ExitCode> {
    let output = Output::new(args.output.as_deref(), &["pb", "folded", "html"])?;
    let mut service = Service::find(args.service.service.as_deref())?;
    let bytes = written(&mut service, output.form, args.seconds)?;
    let mut to = output.create()?;
    to.write_all(&bytes)
        .and_then(|()| to.flush())
        .with_context(|| format!("can't write {output}"))?;
    Ok(ExitCode::SUCCESS)
}

/// What a service's locks cost others, in this time or until now: a table, or as a file of this ending has it.
pub(crate) fn written(
    service: &mut Service,
    form: Option<&str>,
    time: Option<Duration>,
) -> Result<Vec<u8>> {
    let name = service.hello.to_string();
    let mut request = json!({ "as": match form {
        Some("pb") => "pprof",
        Some("folded") => "folded",
        _ => "json",
    } });
    if let Some(time) = time {
        request["seconds"] = time.as_secs_f64().into();
    }
    let patience = time.unwrap_or_default() + PATIENCE;
    let profile = service.ask_within(&json!({ "profile": request }), patience)?;
    let bytes = match form {
        Some("pb") => profile["pprof"].as_str().and_then(bytes_of),
        Some("folded") => profile["folded"]
            .as_str()
            .map(|text| text.as_bytes().to_owned()),
        Some(_) => page(service, &profile)?,
        None => answer::text(&profile).map(|text| (text + "\n").into_bytes()),
    };
    Ok(bytes.ok_or_else(|| NoService(format!("{name} speaks unclearly")))?)
}

/// The page, with what it is to show in it.
fn page(service: &mut Service, profile: &Value) -> Result<Option<Vec<u8>>> {
    const EMPTY: &str = "id=\"kept\">";
    let locks = service.ask(&json!({ "get": "locks" }))?;
    let why = service.ask(&json!({ "get": "why" }))?;
    let at = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    let kept = json!({
        "locks": locks, "why": why, "profile": profile, "waiting": [], "tab": "profile", "at": at,
    });
    // So that no key can end the script that it is in.
    let kept = kept.to_string().replace('<', "\\u003c");
    let page = inspect::respond("/").context("the page is there")?;
    let page = String::from_utf8_lossy(page.body()).into_owned();
    let parts = page.split_once(EMPTY);
    Ok(parts.map(|(head, tail)| format!("{head}{EMPTY}{kept}{tail}").into_bytes()))
}

/// The bytes of which these are the digits.
fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}
