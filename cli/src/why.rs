//! `lockutils why`: why a process is stuck.

use crate::answer;
use crate::args::WhyArgs;
use crate::follow::follow;
use crate::service::Service;
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

pub(crate) fn run(args: &WhyArgs) -> Result<ExitCode> {
    let mut service = Service::find(args.service.service.as_deref())?;
    let mut answer = service.ask(&json!({ "get": "why" }))?;
    let followed = follow(&answer);
    let text = if args.json {
        for (index, step) in &followed {
            answer["why"]["causes"][index]["followed"] = step.to_json();
        }
        format!("{:#}", answer["why"])
    } else {
        let text = answer::text(&answer);
        let text = text.with_context(|| format!("{} speaks unclearly", service.hello))?;
        let mut text = elsewhere(&service, &answer).unwrap_or_default() + &text;
        for (index, step) in &followed {
            let lines = step.lines().join("\n");
            write!(text, "\n\n{} → {lines}", index + 1)?;
        }
        text
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

/// Where the ids that a process tells of mean something, if that isn't here.
fn elsewhere(service: &Service, answer: &Value) -> Option<String> {
    let pid = service.hello.pid;
    (answer["why"]["pid"].as_u64() != Some(pid.into())).then(|| {
        format!(
            "process {pid}, whose ids below are those of its own PID namespace: nsenter -t {pid} -p -m\n\n"
        )
    })
}
