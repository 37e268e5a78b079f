//! `lockutils record`: a timeline of a service's locks.

use crate::args::RecordArgs;
use crate::exit::{self, NoService};
use crate::output::Output;
use crate::service::{self, Service};
use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

/// How long a service has to answer after it has recorded.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(args: &RecordArgs) -> Result<ExitCode> {
    let output = Output::new(args.output.as_deref(), &["json"])?;
    if args.output.is_none() && io::stdout().is_terminal() {
        return Err(exit::usage("name a file for it, as in `-o trace.json`"));
    }
    let mut service = Service::find(args.service.service.as_deref())?;
    let wish = json!({ "record": {
        "seconds": args.seconds.as_secs_f64(),
        "one_in": args.one_in,
    } });
    let (timeline, done) = ask(&mut service, &wish, args.seconds)?;
    let mut to = output.create()?;
    to.write_all(&timeline)
        .and_then(|()| to.flush())
        .with_context(|| format!("can't write {output}"))?;
    exit::say(summary(&done));
    Ok(ExitCode::SUCCESS)
}

/// Asks for a timeline, which takes so long. Gives it, and what is said of it at the end. It is read as a
/// whole before it is written anywhere: a service hangs up on who doesn't read on, and what is there of an
/// earlier one is kept until there is another.
pub(crate) fn ask(service: &mut Service, wish: &Value, time: Duration) -> Result<(Vec<u8>, Value)> {
    // While it records it speaks whenever there is much.
    service.be_patient(time + PATIENCE)?;
    let mut next = service.ask(wish)?;
    let mut to = Vec::new();
    let mut is_first = true;
    write!(to, "{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
    let done = loop {
        if let Some(done) = next.get("done") {
            break done.clone();
        }
        let Some(events) = next["ev"].as_array() else {
            bail!(NoService(format!("{} speaks unclearly", service.hello)));
        };
        for event in events {
            write!(to, "{}\n{event}", if is_first { "" } else { "," })?;
            is_first = false;
        }
        next = service.hear()?;
    };
    service.be_patient(service::PATIENCE)?;
    let about = json!({
        "lockutils": env!("CARGO_PKG_VERSION"),
        "one_in": done["one_in"],
        "dropped": done["dropped"],
        "lasted_s": done["lasted_s"],
    });
    writeln!(to, "],\"otherData\":{about}}}")?;
    Ok((to, done))
}

/// What was recorded, and what to do with it.
fn summary(done: &Value) -> String {
    let number = |name: &str| done[name].as_u64().unwrap_or(0);
    let lasted = done["lasted_s"].as_f64().unwrap_or(0.0);
    let (holds, waits) = (number("holds"), number("waits"));
    let several = |count: u64| if count == 1 { "" } else { "s" };
    let what = format!(
        "recorded {holds} hold{} and {waits} wait{} in {lasted:.1} s",
        several(holds),
        several(waits)
    );
    let how = "https://ui.perfetto.dev opens it";
    match number("dropped") {
        0 => format!("{what}; {how}"),
        more => format!("{what}, with no room for {more} more, see `--one-in`; {how}"),
    }
}
