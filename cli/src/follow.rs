//! Follows a wait into the process that has the lock: what keeps it from releasing that.
//!
//! A process that serves is asked of the one lock by its space and its key, and of what keeps that one, the
//! next process, and so on, to a [depth](MOST). What was asked before is not asked again: if it was on the
//! way to this one, these processes wait for one another.

use crate::answer;
use crate::holder;
use crate::service::Service;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How many processes are behind one another at most.
const MOST: usize = 8;

/// How many questions there are at most, since what others say is not to keep anybody busy for ever.
const MOST_ASKED: usize = 64;

/// What was asked: a process, and the space and the key of a lock.
type Asked = (u64, String, String);

/// All that was asked so far.
#[derive(Default)]
struct Followed {
    asked: BTreeSet<Asked>,
    /// Those that led to the process that is asked now.
    way: Vec<Asked>,
}

/// A process that has the lock of a cause.
pub(crate) struct Step {
    /// What it is called, with its id.
    who: String,
    /// The lock.
    lock: String,
    said: Said,
}

enum Said {
    /// Why it isn't asked, or doesn't say anything of the lock.
    Nothing(String),
    /// What it says, as an answer, and each cause of it that could be followed.
    Answer(Value, Vec<Step>),
}

/// Follows each cause of an answer that is due to another process. Gives them by their index.
pub(crate) fn follow(answer: &Value) -> Vec<(usize, Step)> {
    steps(answer, &mut Followed::default())
}

fn steps(answer: &Value, followed: &mut Followed) -> Vec<(usize, Step)> {
    let causes = answer["why"]["causes"].as_array();
    let causes = causes.into_iter().flatten().enumerate();
    causes
        .filter_map(|(index, cause)| Some((index, step(cause, followed)?)))
        .collect()
}

/// `None` where the process has the lock itself, or nobody knows who has it.
fn step(cause: &Value, followed: &mut Followed) -> Option<Step> {
    let culprit = &cause["culprit"];
    let pid = culprit["pid"].as_u64()?;
    if cause["outside"] != true {
        return None;
    }
    let text = |value: &Value| holder::shown(value.as_str().unwrap_or_default());
    let lock = text(&cause["lock"]);
    let command = culprit["command"].as_str().map(|command| {
        let command = holder::cut(command.to_owned());
        format!(" ({})", holder::shown(&command))
    });
    let mut who = format!("process {pid}{}", command.unwrap_or_default());
    let said = ask(cause, pid, followed, &mut who);
    let said = said.unwrap_or_else(Said::Nothing);
    Some(Step { who, lock, said })
}

/// # Errors
///
/// Why nothing is said, as the end of a sentence about the process.
fn ask(cause: &Value, pid: u64, followed: &mut Followed, who: &mut String) -> Result<Said, String> {
    let culprit = &cause["culprit"];
    if let Some(host) = culprit["host"].as_str()
        && host != holder::host_name()
    {
        let host = holder::shown(host);
        return Err(format!("it runs on {host}: see there, lockutils why {pid}"));
    }
    if !culprit["pid_namespace"].is_null() {
        return Err("it is in another PID namespace, where it has that id".to_owned());
    }
    let name = |field: &str| cause[field].as_str().unwrap_or_default().to_owned();
    let [space, key] = ["space", "key"].map(name);
    let this = (pid, space.clone(), key.clone());
    if followed.way.contains(&this) {
        return Err("which is told above: these processes wait for one another".to_owned());
    }
    if followed.way.len() == MOST {
        return Err(format!("it is not asked, behind {MOST} others"));
    }
    if followed.asked.len() == MOST_ASKED {
        return Err(format!("it is not asked, after {MOST_ASKED} others"));
    }
    if !followed.asked.insert(this.clone()) {
        return Err("what keeps it is told above".to_owned());
    }
    let id = u32::try_from(pid).map_err(|_| "it has no such id".to_owned())?;
    let (mut service, request, nothing) = match culprit["runs"].as_u64() {
        None => {
            let service = Service::of_holder(id).map_err(|error| error.to_string())?;
            *who = service.hello.to_string();
            let request = json!({ "get": "why", "space": space, "key": key });
            let nothing = "it doesn't say that it has it: it may have released it by now";
            (service, request, nothing)
        }
        Some(child) => {
            let service = of_command(child)?;
            let _ = write!(who, ", which runs {},", service.hello);
            let nothing = "nobody waits for a lock there";
            (service, json!({ "get": "why" }), nothing)
        }
    };
    let answer = service.ask(&request).map_err(|error| error.to_string())?;
    let causes = answer["why"]["causes"].as_array();
    if causes.is_none_or(Vec::is_empty) {
        return Err(nothing.to_owned());
    }
    followed.way.push(this);
    let next = steps(&answer, followed);
    followed.way.pop();
    let next = next.into_iter().map(|(_, step)| step).collect();
    Ok(Said::Answer(answer, next))
}

/// What `lockutils run` runs, which has the lock and knows nothing of it, and may be stuck in its own locks.
fn of_command(child: u64) -> Result<Service, String> {
    let service = u32::try_from(child).map(Service::of_holder);
    let service = service.map_err(|_| "what it runs has no such id".to_owned())?;
    service.map_err(|error| match error.to_string().strip_prefix("it ") {
        Some(does) => format!("it runs process {child}, which {does}"),
        None => format!("it runs process {child}: {error}"),
    })
}

impl Step {
    /// The lines for people, those after the first with a blank before each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let Self { who, lock, said } = self;
        match said {
            Said::Nothing(why) => vec![format!("{who} has {lock}: {why}")],
            Said::Answer(answer, next) => {
                let mut lines = vec![format!("{who} has {lock}:")];
                let text = answer::text(answer).unwrap_or_default();
                let inner = text.lines().map(str::to_owned);
                let next = next.iter().flat_map(|step| {
                    let gap = std::iter::once(String::new());
                    gap.chain(step.lines())
                });
                lines.extend(inner.chain(next).map(|line| match &*line {
                    "" => line,
                    _ => format!("   {line}"),
                }));
                lines
            }
        }
    }

    /// The same for programs.
    pub(crate) fn to_json(&self) -> Value {
        let Self { who, said, .. } = self;
        match said {
            Said::Nothing(why) => json!({ "process": who, "not_followed": why }),
            Said::Answer(answer, next) => {
                let next: Vec<_> = next.iter().map(Self::to_json).collect();
                json!({ "process": who, "why": answer["why"], "followed": next })
            }
        }
    }
}
