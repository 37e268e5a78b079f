//! `lockutils why`: why a process is stuck.

use crate::args::WhyArgs;
use crate::holder;
use crate::service::Service;
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::io::{self, Write as _};
use std::process::ExitCode;

pub(crate) fn run(args: &WhyArgs) -> Result<ExitCode> {
    let mut service = Service::find(args.service.service.as_deref())?;
    let answer = service.ask(&json!({ "get": "why" }))?;
    let text = if args.json {
        format!("{:#}", answer["why"])
    } else {
        text(&answer).with_context(|| format!("{} speaks unclearly", service.hello))?
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

/// The text of an answer. The library has escaped what is the user's, but who knows who serves.
pub(crate) fn text(answer: &Value) -> Option<String> {
    let text = answer["text"].as_str()?;
    Some(
        text.lines()
            .map(holder::shown)
            .collect::<Vec<_>>()
            .join("\n"),
    )
}
