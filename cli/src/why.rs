//! `lockutils why`: why a process is stuck.

use crate::answer;
use crate::args::WhyArgs;
use crate::follow::follow;
use crate::service::Service;
use anyhow::{Context as _, Result};
use serde_json::json;
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
        let mut text =
            answer::text(&answer).with_context(|| format!("{} speaks unclearly", service.hello))?;
        for (index, step) in &followed {
            let lines = step.lines().join("\n");
            write!(text, "\n\n{} → {lines}", index + 1)?;
        }
        text
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}
