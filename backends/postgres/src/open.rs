//! How a session begins: the server is looked at, refused if it can't keep the promises, given what is
//! missing there, and settled.

use std::time::Duration;

use futures_util::future::{try_join3, try_join4};
use lockutils_remote::{Fault, Member};
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, Error, SimpleQueryMessage, SimpleQueryRow, Statement};

use crate::backend::Backend;
use crate::link::{Dial, Link};
use crate::sql::Ask;
use crate::{fault, hosts, pooler, sql};

/// The first version that ends a session which was idle for too long.
const OLDEST: u32 = 14;

/// After how long without a word at most the system looks whether the server's host is there. It counts in seconds, of
/// which it takes so many.
const LONGEST_IDLE: Duration = Duration::from_secs(32_767);

/// The longest name of an application that the server keeps.
const LONGEST_NAME: usize = 63;

/// What is known of a session that was opened.
pub(crate) struct Opened {
    pub(crate) link: Link,
    pub(crate) backend: Backend,
    pub(crate) statements: Statements,
}

/// The statements that are asked often.
pub(crate) struct Statements {
    /// Those that acquire, by [`Self::ASKS`], and the one that releases; of each mode.
    of_modes: [[Statement; 4]; 2],
    in_the_way: Statement,
}

/// Opens one at the primary among the hosts.
pub(crate) async fn open(
    dial: &dyn Dial,
    config: &Config,
    member: &Member,
    told: impl Fn(&str) + Clone + Send + 'static,
) -> Result<Opened, Fault> {
    let hosts = hosts::each(config);
    let share = member.share(hosts.len());
    if let [host] = &hosts[..] {
        let config = configured(host, member, share);
        let found = find(dial, &config, told).await?;
        return begin(dial, &config, member, found).await;
    }
    let mut faults = Vec::new();
    for host in &hosts {
        let config = configured(host, member, share);
        let finding = timeout(share, find(dial, &config, told.clone())).await;
        let silent = |_| Err(Fault::NotDone("it has not answered".into()));
        let found = finding.unwrap_or_else(silent);
        let opened = match found {
            Ok(found) => begin(dial, &config, member, found).await,
            Err(fault) => Err(fault),
        };
        match opened {
            Ok(opened) => return Ok(opened),
            Err(fault) => faults.push((hosts::name(host), hosts::among_others(fault))),
        }
    }
    Err(Fault::none_of(faults))
}

/// Connects with a host, and sees that it is a primary.
async fn find(
    dial: &dyn Dial,
    config: &Config,
    told: impl Fn(&str) + Send + 'static,
) -> Result<(Link, Looked), Fault> {
    let link = Link::open(dial, config, told).await?;
    let client = link.client()?;
    if let Some(version) = &link.version {
        new_enough(version)?;
    }
    let looked = look(&client).await?;
    if looked.standby {
        return Err(fault::standby());
    }
    Ok((link, looked))
}

/// Makes a session of a connection with the primary, for which there is all of the time that is left.
async fn begin(
    dial: &dyn Dial,
    config: &Config,
    member: &Member,
    (link, looked): (Link, Looked),
) -> Result<Opened, Fault> {
    let client = link.client()?;
    pooler::refuse(&client, looked.backend, dial, config, member).await?;
    if !looked.permitted {
        make(&client, &looked).await?;
    }
    let settle = sql::settle(
        milliseconds(member.lease),
        milliseconds(member.answer_timeout),
    );
    let settled = client.batch_execute(&settle).await;
    settled.map_err(|error| fault::of_login(&error))?;
    let statements = Statements::prepare(&client).await?;
    Ok(Opened {
        link,
        backend: Backend {
            id: looked.backend,
            timeline: looked.timeline,
        },
        statements,
    })
}

/// What a user has configured, and what is ours, with the time in which a session is to be opened.
fn configured(config: &Config, member: &Member, share: Duration) -> Config {
    let mut config = config.clone();
    config.application_name(application(&member.host, member.pid));
    config.tcp_user_timeout(member.lease);
    config.keepalives_idle((member.lease / 3).clamp(Duration::from_secs(1), LONGEST_IDLE));
    if config.get_connect_timeout().is_none() {
        // A host may have several addresses.
        config.connect_timeout(share / 2);
    }
    config
}

/// What the session is called at the server, see [`holders`](crate::holders).
fn application(host: &str, pid: u32) -> String {
    let end = format!(":{pid}");
    let most = LONGEST_NAME - "lockutils ".len() - end.len();
    let fits = |at: &usize| host.is_char_boundary(*at);
    let length = (0..=most.min(host.len())).rev().find(fits).unwrap_or(0);
    format!("lockutils {}{end}", &host[..length])
}

fn new_enough(version: &str) -> Result<(), Fault> {
    let digits = version.split(|c: char| !c.is_ascii_digit()).next();
    let number = digits.and_then(|digits| digits.parse::<u32>().ok());
    if number.is_some_and(|number| number < OLDEST) {
        let text = format!(
            "it is PostgreSQL {version}, which keeps the locks of a process that hangs for ever; \
             use version {OLDEST} or newer"
        );
        return Err(Fault::Refused(text.into()));
    }
    Ok(())
}

struct Looked {
    backend: i32,
    standby: bool,
    role: String,
    timeline: u64,
    made: bool,
    permitted: bool,
}

async fn look(client: &Client) -> Result<Looked, Fault> {
    let answers = client.simple_query(sql::LOOK).await;
    let answers = answers.map_err(|error| fault::of_login(&error))?;
    let row = answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => looked(row),
        _ => None,
    });
    row.ok_or_else(|| Fault::Refused("it answers as no PostgreSQL server does; use one".into()))
}

fn looked(row: &SimpleQueryRow) -> Option<Looked> {
    Some(Looked {
        backend: row.get(0)?.parse().ok()?,
        standby: row.get(1)? == "t",
        role: row.get(2)?.to_owned(),
        timeline: u64::from_str_radix(row.get(3)?, 16).ok()?,
        made: row.get(4)? == "t",
        permitted: row.get(5)? == "t",
    })
}

/// Makes the sequence and the table, if this role may.
async fn make(client: &Client, looked: &Looked) -> Result<(), Fault> {
    let error = if looked.made {
        None
    } else {
        match client.batch_execute(sql::MAKE).await {
            Ok(()) => return Ok(()),
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Some(error),
            Err(error) => return Err(fault::of_login(&error)),
        }
    };
    let why = error.map_or_else(
        || "it has no rights there".to_owned(),
        |error| fault::text(&error),
    );
    let text = format!(
        "the role \"{}\" can't use what locks need ({why}); run as the owner of the database: {} {}",
        looked.role,
        sql::MAKE,
        sql::grant(&looked.role)
    );
    Err(Fault::Refused(text.into()))
}

impl Statements {
    const ASKS: [Ask; 3] = [Ask::Once, Ask::Join, Ask::Stay];

    async fn prepare(client: &Client) -> Result<Self, Fault> {
        let of_mode = async |shared: bool| {
            let texts = Self::ASKS.map(|ask| sql::acquire(shared, ask));
            let [once, join, stay] = texts.each_ref().map(|text| prepare(client, text, NUMBERS));
            let release = sql::release(shared);
            let release = prepare(client, &release, NUMBERS);
            let (once, join, stay, release) = try_join4(once, join, stay, release).await?;
            Ok::<_, Error>([once, join, stay, release])
        };
        // All in one round trip.
        let in_the_way = prepare(client, sql::IN_THE_WAY, &NUMBERS[..1]);
        let prepared = try_join3(of_mode(false), of_mode(true), in_the_way).await;
        let (exclusive, shared, in_the_way) = prepared.map_err(|error| fault::of_login(&error))?;
        Ok(Self {
            of_modes: [exclusive, shared],
            in_the_way,
        })
    }

    pub(crate) fn acquire(&self, shared: bool, ask: Ask) -> &Statement {
        let at = Self::ASKS.iter().position(|one| *one == ask);
        &self.of_modes[usize::from(shared)][at.expect("it is one of them")]
    }

    pub(crate) fn release(&self, shared: bool) -> &Statement {
        &self.of_modes[usize::from(shared)][3]
    }

    pub(crate) fn in_the_way(&self) -> &Statement {
        &self.in_the_way
    }
}

/// What the statements are given: a lock, and its twin.
const NUMBERS: &[Type] = &[Type::INT8, Type::INT8];

async fn prepare(client: &Client, text: &str, types: &[Type]) -> Result<Statement, Error> {
    client.prepare_typed(text, types).await
}

/// The lease that the server keeps.
pub(crate) fn lease(member: &Member) -> Duration {
    Duration::from_millis(u64::from(milliseconds(member.lease)))
}

/// A time as the server counts it, which takes none as no limit.
fn milliseconds(time: Duration) -> u32 {
    let most = i32::MAX.unsigned_abs();
    u32::try_from(time.as_millis()).map_or(most, |time| time.clamp(1, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn application_name_is_not_cut_by_the_server() {
        assert_eq!(application("web-1", 42), "lockutils web-1:42");
        let long = application(&"ä".repeat(100), u32::MAX);
        assert!(
            long.len() <= LONGEST_NAME && long.ends_with(":4294967295"),
            "{long}"
        );
    }

    #[test]
    fn old_servers_are_refused() {
        for old in ["9.6.24", "13.14 (Debian 13.14-1)", "13devel"] {
            assert!(new_enough(old).is_err(), "{old}");
        }
        for new in [
            "14.0",
            "15.20 (Debian 15.20-0+deb12u1)",
            "18.4",
            "19devel",
            "",
        ] {
            assert!(new_enough(new).is_ok(), "{new}");
        }
    }
}
