//! What is particular to these locks.

use std::time::Duration;

use lockutils::{Error, ErrorKind};
use lockutils_conformance::{ByHand, LIMIT, eventually, until_holder_is_told};
use lockutils_postgres::PostgresLocks;
use lockutils_servers::{PgBouncer, Postgres};
use tokio_postgres::NoTls;

use crate::session::{becomes_noted, claim, client, held, with_server};

/// Without an end that a busy machine could bring about.
pub(crate) fn locks(server: &Postgres) -> PostgresLocks {
    let locks = PostgresLocks::new(&server.url()).unwrap();
    locks.ttl(2 * LIMIT).answer_timeout(LIMIT)
}

#[test]
fn transaction_has_the_lock_until_it_ends() {
    with_server(async |server| {
        let locks = locks(&server);
        let mut client = client(&server.url()).await;
        let key = locks.key("invoice-7");
        let mut transaction = client.transaction().await.unwrap();
        key.lock_in(&mut transaction).await.unwrap();
        // Once more, and by another type of key.
        locks
            .key(&String::from("invoice-7"))
            .lock_in(&mut transaction)
            .await
            .unwrap();
        let error = key.try_lock_async().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Busy);
        // Its session has no name.
        assert!(
            error.to_string().ends_with("held by some process"),
            "{error}"
        );
        let waiter = key.lock_async();
        transaction.commit().await.unwrap();
        let guard = waiter.await.unwrap();
        // And the other way round, for as long as the transaction will wait.
        let mut transaction = client.transaction().await.unwrap();
        transaction
            .batch_execute("SET LOCAL lock_timeout = 100")
            .await
            .unwrap();
        let error = key.lock_in(&mut transaction).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(
            error.to_string().contains("lock timeout; roll it back"),
            "{error}"
        );
        transaction.rollback().await.unwrap();
        let mut transaction = client.transaction().await.unwrap();
        let (locked, ()) = tokio::join!(key.lock_in(&mut transaction), async {
            guard.release_async().await.unwrap();
        });
        locked.unwrap();
        assert_eq!(held(&server).await, 1);
        let error = locks.key("").lock_in(&mut transaction).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidKey);
    });
}

#[test]
fn sql_of_the_documentation_takes_the_same_lock() {
    with_server(async |server| {
        let (_, sql) = include_str!("../../README.md")
            .split_once("SELECT pg_advisory_xact_lock(")
            .unwrap();
        let (number, _) = sql.split_once(")\nFROM").unwrap();
        let client = client(&server.url()).await;
        for (prefix, key) in [("lockutils", "invoice-7"), ("lockutils", "ü \u{1f980}")] {
            let select =
                format!("SELECT {number} FROM (SELECT '{prefix}', '{key}') AS n (prefix, key)");
            let number: i64 = client.query_one(&select, &[]).await.unwrap().get(0);
            assert_eq!(number.to_string(), claim(key).name);
        }
    });
}

#[test]
fn holder_is_visible_to_who_waits_and_who_looks() {
    with_server(async |server| {
        let locks = || locks(&server).prefix("billing");
        let (one, two, other) = (locks(), locks(), locks().prefix("other"));
        let guard = one.key("invoice-7").lock().unwrap();
        let line = line!() - 1;
        becomes_noted(&server).await;
        let holder = two.key("invoice-7").holder().unwrap().unwrap();
        let states = two.states().unwrap();
        assert_eq!((states.len(), states[0].key.as_str()), (1, "invoice-7"));
        for holder in [&holder, &states[0].holders[0]] {
            assert_eq!(holder.pid(), Some(std::process::id()));
            assert!(holder.host().is_some_and(|host| !host.is_empty()));
            assert!(holder.command().is_some());
            let place = holder.place().unwrap();
            assert!(place.ends_with(&format!("locks.rs:{line}")), "{place}");
            assert!(holder.since().unwrap().elapsed().unwrap() < Duration::from_secs(60));
        }
        // Not over before it is asked, on a busy machine.
        let timeout = Duration::from_secs(3);
        let mut late = ByHand::new(two.key("invoice-7").lock_timeout_async(timeout));
        assert!(late.poll().is_pending());
        until_holder_is_told(two.name());
        let error = late.finish().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.to_string().contains("locks.rs"), "{error}");
        assert!(two.key("invoice-7").is_locked().unwrap());
        assert_eq!(other.states().unwrap().len(), 0);
        guard.release().unwrap();
        assert!(!two.key("invoice-7").is_locked().unwrap());
        assert!(two.key("invoice-7").holder().unwrap().is_none());
    });
}

#[test]
fn more_keys_than_a_process_may_have_are_unavailable() {
    with_server(async |server| {
        let locks = locks(&server);
        let guards: Vec<_> = (0..2000).map(|n| locks.key(n).lock().unwrap()).collect();
        let error = locks.key("more").lock().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("2000 keys"), "{error}");
        let client = client(&server.url()).await;
        let sessions =
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'lockutils %'";
        assert_eq!(
            client
                .query_one(sessions, &[])
                .await
                .unwrap()
                .get::<_, i64>(0),
            1
        );
        assert!(guards.iter().all(|guard| !guard.is_lost()));
        assert_eq!(held(&server).await, 2000);
        drop(guards);
        locks.close(Duration::from_secs(60)).unwrap();
        assert_eq!(held(&server).await, 0);
        let one = locks.most_keys(1);
        let _guard = one.key("a").lock().unwrap();
        assert!(one.key("b").lock().is_err());
    });
}

#[test]
fn connection_ends_with_the_last_guard() {
    with_server(async |server| {
        let locks = locks(&server);
        let guard = locks.key("a").lock().unwrap();
        drop(locks);
        assert!(!guard.is_lost());
        drop(guard);
        let client = client(&server.url()).await;
        loop {
            let sessions = "SELECT FROM pg_stat_activity WHERE application_name LIKE 'lockutils %'";
            if client.query(sessions, &[]).await.unwrap().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}

#[test]
fn refusals_are_unavailable_with_the_remedy_and_without_the_password() {
    if !Postgres::available() || !PgBouncer::available() {
        return;
    }
    let server = Postgres::with(&["-c", "wal_level=replica"]);
    let (standby, pooler) = (server.standby(), PgBouncer::to(&server, "transaction"));
    let user = |url: String, user: &str| url.replace("postgres@", &format!("{user}:hunter2@"));
    // That of nobody is waited for, and the other answers come.
    let brief = Duration::from_secs(2);
    for (url, word, answer_timeout) in [
        (user(standby.url(), "postgres"), "primary", LIMIT),
        (user(pooler.url(), "postgres"), "pool_mode=session", LIMIT),
        (user(server.url(), "nobody"), "check the user", LIMIT),
        (
            "postgres://u:hunter2@127.0.0.1:1/db".to_owned(),
            "127.0.0.1:1",
            brief,
        ),
    ] {
        let locks = PostgresLocks::new(&url)
            .unwrap()
            .answer_timeout(answer_timeout);
        let locking = || busy(locks.key("a").lock());
        assert_eq!(locking(), ErrorKind::Unavailable);
        let error = locks.key("a").lock_timeout(LIMIT).map(drop).unwrap_err();
        for text in [
            error.to_string(),
            format!("{error:?} {locks:?} {}", locks.name()),
        ] {
            assert!(!text.contains("hunter2"), "{text}");
        }
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(locks.states().unwrap_err().kind(), ErrorKind::Unavailable);
    }
    let error = PostgresLocks::new("postgres://u:hunter2@host:port/db").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidUrl);
    assert!(error.to_string().contains("port") && !error.to_string().contains("hunter2"));
}

#[test]
fn configuration_of_the_client_makes_a_space() {
    with_server(async |server| {
        let config = server.url().parse().unwrap();
        let locks = PostgresLocks::from_config(config, NoTls).prefix("x");
        let guard = locks.key("a").shared().lock().unwrap();
        let also = locks.key("a").shared().try_lock().unwrap();
        // The sharers of a process have one hold.
        assert_eq!(also.fence(), guard.fence());
        drop((guard, also));
        eventually("it is free", || locks.key("a").try_lock().is_ok());
    });
}

fn busy<G>(result: Result<G, Error>) -> ErrorKind {
    result.map(drop).unwrap_err().kind()
}
