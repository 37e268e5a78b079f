//! Who holds what, for people.
//!
//! That a lock is held, and by which session, the server knows itself (`pg_locks`), and the session's
//! application name has its host and process. Its [record](Claim::record) is in a table that is not logged,
//! which costs what is to be written; so what is held for less than [`NOTE_DELAY`] isn't written there at all,
//! and who looks in that time looks again. Who waits asks each second, and looks at the table alone if it is there. Rows count only with the lock, so none outlives its session.

use std::time::Duration;

use lockutils_remote::{Claim, Fault, Member, Query, Taken};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row, Statement};

use crate::{fault, id, sql};

/// How long a lock is held before it is written down.
pub(crate) const NOTE_DELAY: Duration = Duration::from_millis(50);

/// How often who holds a lock is looked for while that isn't written down, after which host and process
/// do; and how often if all are, since one that isn't written down is left out: its prefix isn't known.
const LOOKS: (usize, usize) = (4, 20);

/// Writes down who holds these.
pub(crate) async fn note(client: &Client, member: &Member, held: &[(Claim, u64)]) {
    let (mut ids, mut nonces, mut fences, mut records) = (vec![], vec![], vec![], vec![]);
    for (claim, fence) in held {
        ids.push(id::named(&claim.name));
        nonces.push(nonce(claim.nonce));
        fences.push(i64::try_from(*fence).unwrap_or(i64::MAX));
        records.push(claim.record(member));
    }
    let prefix = text(&member.prefix);
    let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
        (&prefix, Type::TEXT),
        (&ids, Type::INT8_ARRAY),
        (&nonces, Type::TEXT_ARRAY),
        (&fences, Type::INT8_ARRAY),
        (&records, Type::TEXT_ARRAY),
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

/// Who has the lock, for somebody who asked for it in vain.
pub(crate) async fn in_the_way(
    client: &Client,
    statement: &Statement,
    name: &str,
) -> Result<Option<Taken>, Fault> {
    let rows = client.query(statement, &[&id::named(name)]).await;
    let first = rows.and_then(|rows| rows.first().map(taken).transpose());
    let first = first.map_err(|error| fault::of_answer(&error))?;
    Ok(first.map(|(taken, _)| taken))
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
        tokio::time::sleep(NOTE_DELAY).await;
    }
}

/// Who holds what, and whether more isn't to be known of it.
async fn now(
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
    let name = row.try_get::<_, i64>(0)?.to_string();
    let application: Option<&str> = row.try_get(1)?;
    let record: Option<&str> = row.try_get(2)?;
    let ours = application.and_then(ours);
    let told = match (record, ours) {
        (Some(record), _) => Taken::read(name, record),
        (None, Some((host, pid))) => Taken {
            host: Some(host.to_owned()),
            pid: Some(pid),
            ..Taken::by_nobody_knows(name)
        },
        (None, None) => Taken {
            command: application
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            ..Taken::by_nobody_knows(name)
        },
    };
    let taken = Taken {
        fence: row.try_get::<_, Option<i64>>(3)?.map(i64::unsigned_abs),
        waiting: usize::try_from(row.try_get::<_, i64>(4)?).unwrap_or(0),
        ..told
    };
    Ok((taken, record.is_some() || ours.is_none()))
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
