//! Which servers are refused, and with what remedy.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use lockutils_conformance::LIMIT;
use lockutils_postgres::Postgres as Store_;
use lockutils_remote::{Asked, Fault, FromUrl as _, Session as _, Store as _};
use lockutils_servers::{Etcd, PgBouncer, Redis};
use tokio_postgres::NoTls;

use crate::session::{claim, client, granted, held, member, open, with_server, with_server_of};

#[test]
fn standby_is_refused_until_it_is_promoted() {
    with_server_of(&["-c", "wal_level=replica"], async |primary| {
        let first = open(&primary.url()).await.unwrap();
        let fence = granted(&first, &claim("a")).await;
        let standby = primary.standby();
        refused(&standby.url(), &["standby", "; connect to the primary"]).await;
        // Of several, the primary is found.
        let both = format!(
            "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/postgres",
            standby.port(),
            primary.port()
        );
        let session = open(&both).await.unwrap();
        assert!(granted(&session, &claim("b")).await > fence);
        primary.kill();
        standby.promote();
        let session = open(&both).await.unwrap();
        let after = granted(&session, &claim("a")).await;
        assert_eq!(after >> 40, 2, "{after}");
    });
}

#[test]
fn pooler_of_transactions_is_refused_and_one_of_sessions_is_not() {
    if !PgBouncer::available() {
        return;
    }
    with_server(async |server| {
        let pooler = PgBouncer::to(&server, "transaction");
        for _ in 0..3 {
            refused(&pooler.url(), &["pooler", "; connect to the server itself"]).await;
        }
        let pooler = PgBouncer::to(&server, "session");
        let (one, two) = (
            open(&pooler.url()).await.unwrap(),
            open(&pooler.url()).await.unwrap(),
        );
        granted(&one, &claim("a")).await;
        let busy = two.acquire(&claim("a"), Asked::Once).await;
        assert!(
            matches!(busy, Ok(lockutils_remote::Answer::Busy(_))),
            "{busy:?}"
        );
    });
}

#[test]
fn pooler_of_statements_or_of_a_single_session_is_told_so() {
    if !PgBouncer::available() {
        return;
    }
    with_server(async |server| {
        let pooler = PgBouncer::to(&server, "statement");
        refused(&pooler.url(), &["pooler", "; connect to the server itself"]).await;
        let pooler = PgBouncer::with_settings(&server, "session", "default_pool_size = 1");
        let mut member = member(LIMIT);
        Arc::make_mut(&mut member).answer_timeout = Duration::from_secs(5);
        let store = Store_::from_url(&pooler.url()).unwrap();
        let text = store.open(&member).await.err().unwrap().to_string();
        assert!(text.contains("; let it have more than one"), "{text}");
    });
}

#[test]
fn session_that_a_pooler_has_not_reset_has_nothing_of_its_former_holder() {
    if !PgBouncer::available() {
        return;
    }
    with_server(async |server| {
        // One for the session, and one for a look at the pooler.
        let settings = "server_reset_query =\ndefault_pool_size = 2";
        let pooler = PgBouncer::with_settings(&server, "session", settings);
        let first = open(&pooler.url()).await.unwrap();
        granted(&first, &claim("a")).await;
        drop(first);
        let next = open(&pooler.url()).await.unwrap();
        assert_eq!(held(&server).await, 0);
        granted(&next, &claim("a")).await;
    });
}

#[test]
fn host_that_is_silent_is_left_for_the_next_one() {
    with_server(async |server| {
        // Its connections are accepted by the system.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let hosts = format!(
            "{},127.0.0.1:{}",
            silent.local_addr().unwrap(),
            server.port()
        );
        let url = format!("postgres://postgres@{hosts}/postgres");
        let mut member = member(LIMIT);
        Arc::make_mut(&mut member).answer_timeout = Duration::from_secs(60);
        let session = Store_::from_url(&url).unwrap().open(&member).await.unwrap();
        granted(&session, &claim("a")).await;
    });
}

#[test]
fn hosts_without_a_primary_may_have_one_soon() {
    with_server_of(&["-c", "wal_level=replica"], async |primary| {
        let standby = primary.standby();
        primary.kill();
        let port = |server: &lockutils_servers::Postgres| format!("127.0.0.1:{}", server.port());
        let hosts = [port(&primary), port(&standby)];
        let url = format!("postgres://postgres@{}/postgres", hosts.join(","));
        let Err(Fault::NotDone(cause)) = open(&url).await else {
            panic!("it is none that may pass");
        };
        let text = cause.to_string();
        for part in [&hosts[0], &hosts[1], "refused", "standby"] {
            assert!(text.contains(part), "{text}");
        }
        standby.promote();
        open(&url).await.unwrap();
    });
}

#[test]
fn role_that_may_only_read_is_told_so() {
    with_server(async |server| {
        let owner = client(&server.url()).await;
        let setup = "CREATE ROLE reader LOGIN SUPERUSER; ALTER ROLE reader SET default_transaction_read_only = on";
        owner.batch_execute(setup).await.unwrap();
        let url = server.url().replace("postgres@", "reader@");
        let words = [
            "read-only",
            "; use the primary, and no role with default_transaction_read_only",
        ];
        refused(&url, &words).await;
        drop(open(&server.url()).await.unwrap());
        refused(&url, &words).await;
    });
}

#[test]
fn role_with_short_timeouts_is_put_off_by_who_opens_before() {
    with_server(async |server| {
        let other = client(&server.url()).await;
        // As who makes the sequence and the table.
        let setup = "CREATE ROLE app LOGIN SUPERUSER; SELECT pg_advisory_lock(hashtextextended('lockutils', 0))";
        other.batch_execute(setup).await.unwrap();
        for setting in ["lock_timeout", "statement_timeout"] {
            let set = format!("ALTER ROLE app RESET ALL; ALTER ROLE app SET {setting} = 50");
            other.batch_execute(&set).await.unwrap();
            let opened = open(&server.url().replace("postgres@", "app@")).await;
            let fault = opened.err().unwrap();
            let Fault::NotDone(cause) = fault else {
                panic!("{setting}: {fault:?}");
            };
            assert!(
                cause
                    .to_string()
                    .contains("longer lock_timeout or statement_timeout"),
                "{cause}"
            );
        }
    });
}

/// Many begin at once after the death of many, and all strike out what these have held.
#[test]
fn role_whose_transactions_fail_what_was_changed_meanwhile_opens_beside_others() {
    with_server(async |server| {
        let mut other = client(&server.url()).await;
        drop(open(&server.url()).await.unwrap());
        let setup = "CREATE ROLE app LOGIN SUPERUSER; \
            ALTER ROLE app SET default_transaction_isolation = 'serializable'; \
            INSERT INTO public.lockutils_holders VALUES (1, 0, 'nonce', 'prefix', 1, 'of a dead backend')";
        other.batch_execute(setup).await.unwrap();
        let striking = other.transaction().await.unwrap();
        let strike = "DELETE FROM public.lockutils_holders";
        striking.batch_execute(strike).await.unwrap();
        let url = server.url().replace("postgres@", "app@");
        let opened = async {
            let session = open(&url).await.unwrap();
            granted(&session, &claim("a")).await;
        };
        let blocked = async {
            let waits = "SELECT FROM pg_locks WHERE NOT granted";
            while striking.query_opt(waits, &[]).await.unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            striking.commit().await.unwrap();
        };
        tokio::join!(opened, blocked);
    });
}

#[test]
fn role_without_rights_is_told_the_sql_that_gives_them() {
    with_server(async |server| {
        let owner = client(&server.url()).await;
        // Who is careful takes the schema from everybody.
        owner
            .batch_execute("CREATE ROLE \"a\"\"pp\" LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC")
            .await
            .unwrap();
        let url = server.url().replace("postgres@", "a%22pp@");
        let text = refused(&url, &["CREATE SEQUENCE", "; run as the owner"]).await;
        let (_, sql) = text.split_once(": SELECT").unwrap();
        owner.batch_execute(&format!("SELECT{sql}")).await.unwrap();
        let session = open(&url).await.unwrap();
        granted(&session, &claim("a")).await;
        assert_eq!(held(&server).await, 1);
        // Rights that are taken away meanwhile.
        let revoke = "REVOKE ALL ON SEQUENCE public.lockutils_fence FROM \"a\"\"pp\"";
        owner.batch_execute(revoke).await.unwrap();
        let fault = session.acquire(&claim("b"), Asked::Once).await.unwrap_err();
        assert!(matches!(fault, Fault::Refused(_)), "{fault:?}");
        assert_eq!(held(&server).await, 1);
        refused(&url, &["GRANT USAGE", "no rights"]).await;
    });
}

#[test]
fn several_make_the_sequence_at_once() {
    with_server(async |server| {
        let url = server.url();
        let sessions = (0..8).map(|_| open(&url));
        for (n, session) in futures_util::future::join_all(sessions)
            .await
            .into_iter()
            .enumerate()
        {
            granted(&session.unwrap(), &claim(&n.to_string())).await;
        }
    });
}

#[test]
fn wrong_user_password_and_database_are_refused() {
    with_server(async |server| {
        let owner = client(&server.url()).await;
        let setup = "CREATE ROLE app LOGIN PASSWORD 'right'; CREATE DATABASE closed; \
                     REVOKE CONNECT ON DATABASE closed FROM PUBLIC";
        for statement in setup.split("; ") {
            owner.batch_execute(statement).await.unwrap();
        }
        let url = server.url();
        let database = |name| format!("{}{name}", url.strip_suffix("postgres").unwrap());
        refused(
            &url.replace("postgres@", "nobody:hunter2@"),
            &["nobody", "; check the user"],
        )
        .await;
        refused(&database("none"), &["none", "; name another database"]).await;
        let closed = url
            .replace("postgres@", "app@")
            .replace("/postgres", "/closed");
        refused(&closed, &["closed", "; grant"]).await;
        // Whom the server asks for a password.
        let ask = "COPY (SELECT 'host all app 127.0.0.1/32 scram-sha-256' UNION ALL \
                   SELECT 'host all all 127.0.0.1/32 trust') TO ";
        let file: String = owner.query_one("SHOW hba_file", &[]).await.unwrap().get(0);
        owner
            .batch_execute(&format!("{ask} '{file}'"))
            .await
            .unwrap();
        owner
            .batch_execute("SELECT pg_reload_conf()")
            .await
            .unwrap();
        let deadline = std::time::Instant::now() + LIMIT;
        while open(&url.replace("postgres@", "app:hunter2@"))
            .await
            .is_ok()
        {
            assert!(std::time::Instant::now() < deadline);
        }
        refused(
            &url.replace("postgres@", "app:hunter2@"),
            &["password", "; check"],
        )
        .await;
        refused(
            &url.replace("postgres@", "app@"),
            &["password missing", "; check"],
        )
        .await;
        owner
            .batch_execute("GRANT CREATE ON SCHEMA public TO app")
            .await
            .unwrap();
        open(&url.replace("postgres@", "app:right@")).await.unwrap();
    });
}

#[test]
fn what_is_not_postgresql_is_no_session() {
    if Redis::available() {
        let redis = Redis::start();
        no_session(redis.port());
    }
    if Etcd::available() {
        let etcd = Etcd::start();
        no_session(etcd.port());
    }
    // One that says something else, and one that says nothing.
    for says in [b"SSH-2.0-OpenSSH_9.2\r\n".as_slice(), b"Nonsense", b""] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(says).unwrap();
            _ = stream.read(&mut [0; 1000]);
        });
        no_session(port);
    }
    // Nobody there.
    no_session(1);
}

/// Says so within the time that the agent gives it, or is given up.
fn no_session(port: u16) {
    let url = format!("postgres://u:hunter2@127.0.0.1:{port}/db");
    crate::session::run(async {
        let opening = tokio::time::timeout(Duration::from_secs(2), open(&url));
        if let Ok(opened) = opening.await {
            let fault = opened.err().expect("it is no PostgreSQL server");
            assert!(!fault.to_string().contains("hunter2"), "{fault}");
        }
    });
}

#[test]
fn client_with_its_own_configuration_connects() {
    with_server(async |server| {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(server.port())
            .user("postgres")
            .password("hunter2");
        let store = Store_::from_config(config, NoTls);
        assert_eq!(
            store.name(),
            format!("postgres://127.0.0.1:{}/postgres", server.port())
        );
        assert!(!format!("{store:?}").contains("hunter2"));
        let session = store.open(&member(Duration::from_secs(15))).await.unwrap();
        granted(&session, &claim("a")).await;
    });
}

/// Only what is another answer in a moment is asked for again.
#[test]
fn login_that_fails_for_now_is_not_refused() {
    crate::session::run(async {
        for code in [
            "08006", "40001", "53300", "57014", "57P01", "57P02", "57P03", "57P05",
        ] {
            let opened = open(&failing_with(code)).await;
            let Err(Fault::NotDone(cause)) = opened else {
                panic!("{code}: it isn't put off");
            };
            assert!(cause.to_string().contains("not now"), "{cause}");
        }
        for (code, remedy) in [("57P04", "another database"), ("57000", "the server's log")] {
            refused(&failing_with(code), &["not now; ", remedy]).await;
        }
    });
}

/// A server that answers to one login with this error.
fn failing_with(code: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "postgres://u@{}/db?sslmode=disable",
        listener.local_addr().unwrap()
    );
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // The login, which is in one part: its length, and so much.
        stream.read_exact(&mut [0; 4]).unwrap();
        let fields = format!("SFATAL\0VFATAL\0C{code}\0Mnot now\0\0");
        let length = u32::try_from(4 + fields.len()).unwrap();
        let answer = [&b"E"[..], &length.to_be_bytes(), fields.as_bytes()].concat();
        stream.write_all(&answer).unwrap();
        // Until it has gone: what was said is lost if the connection is reset.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    url
}

/// Opens it, which is refused with these words, and never with a password.
async fn refused(url: &str, words: &[&str]) -> String {
    let Err(Fault::Refused(cause)) = open(url).await else {
        panic!("{url}: it isn't refused");
    };
    let text = cause.to_string();
    for word in words {
        assert!(text.contains(word), "{text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
    text
}
