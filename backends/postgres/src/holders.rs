//! Who holds what, for people.
//!
//! That a lock is held, and by which session, the server knows itself (`pg_locks`), and the session's
//! application name has its host and process. The rest is in a table that is not logged, which
//! costs what is to be written; so what is held for less than [`AFTER`] isn't written there at all,
//! and who looks in that time looks again. Rows count only with the lock, so none outlives its session.

use std::time::{Duration, SystemTime};

use lockutils_remote::{Claim, Fault, Member, Query, Taken};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use crate::{fault, id, sql};

/// How long a lock is held before it is written down.
pub(crate) const AFTER: Duration = Duration::from_millis(50);

/// How often who holds a lock is looked for while that isn't written down, after which host and process
/// do; and how often if all are, since one that isn't written down is left out: its prefix isn't known.
const LOOKS: (usize, usize) = (4, 20);

/// Writes down who holds these.
pub(crate) async fn note(client: &Client, member: &Member, held: &[(Claim, u64)]) {
    let each = |text: fn(&Claim) -> String| held.iter().map(|(claim, _)| text(claim)).collect();
    let ids: Vec<i64> = held
        .iter()
        .map(|(claim, _)| id::named(&claim.name))
        .collect();
    let nonces: Vec<String> = each(|claim| nonce(claim.nonce));
    let keys: Vec<String> = each(|claim| text(&claim.key));
    let sites: Vec<String> = each(|claim| text(&claim.site));
    let since: Vec<SystemTime> = held.iter().map(|(claim, _)| claim.since).collect();
    let fence = |(_, fence): &(Claim, u64)| i64::try_from(*fence).unwrap_or(i64::MAX);
    let fences: Vec<i64> = held.iter().map(fence).collect();
    let texts = [&member.prefix, &member.host, &member.command].map(|of| text(of));
    let [prefix, host, command] = &texts;
    let parameters: [(&(dyn ToSql + Sync), Type); 10] = [
        (&ids, Type::INT8_ARRAY),
        (&nonces, Type::TEXT_ARRAY),
        (&keys, Type::TEXT_ARRAY),
        (&sites, Type::TEXT_ARRAY),
        (&since, Type::TIMESTAMPTZ_ARRAY),
        (prefix, Type::TEXT),
        (host, Type::TEXT),
        (&i64::from(member.pid), Type::INT8),
        (command, Type::TEXT),
        (&fences, Type::INT8_ARRAY),
    ];
    // If it fails, people see less.
    _ = client.execute_typed(sql::NOTE, &parameters).await;
}

/// Strikes out what was written.
pub(crate) async fn strike(client: &Client, id: i64, of: u128) {
    let nonce = nonce(of);
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&id, Type::INT8), (&nonce, Type::TEXT)];
    _ = client.execute_typed(sql::STRIKE, &parameters).await;
}

/// Who holds what, after those who have just got it had the time to write it down.
pub(crate) async fn once_noted(
    client: &Client,
    member: &Member,
    query: Query<'_>,
) -> Result<Vec<Taken>, Fault> {
    let most = match query {
        Query::Name(_) => LOOKS.0,
        Query::All => LOOKS.1,
    };
    let mut look = 0;
    loop {
        let found = now(client, member, query).await?;
        look += 1;
        if look == most || found.iter().all(|(_, noted)| *noted) {
            let ours = |(taken, noted)| (noted || query != Query::All).then_some(taken);
            return Ok(found.into_iter().filter_map(ours).collect());
        }
        tokio::time::sleep(AFTER).await;
    }
}

/// Who holds what, and whether more isn't to be known of it.
pub(crate) async fn now(
    client: &Client,
    member: &Member,
    query: Query<'_>,
) -> Result<Vec<(Taken, bool)>, Fault> {
    let id = match query {
        Query::Name(name) => Some(id::named(name)),
        Query::All => None,
    };
    let prefix = text(&member.prefix);
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&id, Type::INT8), (&prefix, Type::TEXT)];
    let rows = client.query_typed(sql::HOLDERS, &parameters).await;
    let taken = rows.and_then(|rows| rows.iter().map(taken).collect());
    taken.map_err(|error| fault::of_answer(&error))
}

fn taken(row: &Row) -> Result<(Taken, bool), Error> {
    let application: Option<String> = row.try_get(1)?;
    let key: Option<String> = row.try_get(2)?;
    let ours = application.as_deref().and_then(ours);
    let noted = key.is_some() || ours.is_none();
    let (host, pid) = match ours {
        Some((host, pid)) => (Some(host.to_owned()), Some(pid)),
        None => (None, None),
    };
    let process: Option<i64> = row.try_get(4)?;
    let fence: Option<i64> = row.try_get(8)?;
    let taken = Taken {
        name: row.try_get::<_, i64>(0)?.to_string(),
        key,
        host: row.try_get::<_, Option<String>>(3)?.or(host),
        pid: process.and_then(|pid| u32::try_from(pid).ok()).or(pid),
        command: row
            .try_get::<_, Option<String>>(5)?
            .or(if noted { application } else { None }),
        site: row.try_get(6)?,
        since: row.try_get(7)?,
        fence: fence.map(i64::unsigned_abs),
        waiting: usize::try_from(row.try_get::<_, i64>(9)?).unwrap_or(0),
    };
    Ok((taken, noted))
}

/// Host and process of a session of this library.
fn ours(application: &str) -> Option<(&str, u32)> {
    let (host, pid) = application.strip_prefix("lockutils ")?.rsplit_once(':')?;
    Some((host, pid.parse().ok()?))
}

fn nonce(nonce: u128) -> String {
    format!("{nonce:032x}")
}

/// As the server can keep it.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
