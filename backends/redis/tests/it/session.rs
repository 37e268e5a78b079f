//! What a session asks, and what it is told.

use std::slice;
use std::time::{Duration, Instant};

use lockutils_redis::Redis as Store;
use lockutils_remote::{
    Answer, Asked, Fault, FromUrl as _, Kept, Loss, Query, Session as _, Store as _,
};
use lockutils_servers::{Proxy, Redis};
use redis::cmd;

use crate::setting::{
    admin, claim, claim_of, granted, is, is_busy, member, open, open_as, run, two_sessions,
};

#[test]
fn one_has_it_and_the_other_is_told_who() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, other) = two_sessions(&server).await;
        let (mine, yours) = (claim("invoice-7"), claim("invoice-7"));
        let first = granted(&one, &mine).await;

        let Answer::Busy(Some(holder)) = other.acquire(&yours, Asked::Once).await.unwrap() else {
            panic!("two have it");
        };
        assert_eq!(holder.name, "lockutils:invoice-7");
        assert_eq!(holder.key.as_deref(), Some("invoice-7"));
        assert_eq!(holder.host.as_deref(), Some("web-3"));
        assert_eq!(holder.command.as_deref(), Some("billing"));
        assert_eq!(holder.site.as_deref(), Some("src/bill.rs:41"));
        assert_eq!((holder.pid, holder.fence), (Some(812), Some(first)));
        let since = mine.since.duration_since(holder.since.unwrap()).unwrap();
        assert!(since < Duration::from_millis(1));

        assert!(!other.release(&yours).await.unwrap());
        assert!(one.release(&mine).await.unwrap());
        assert!(!one.release(&mine).await.unwrap());
        assert!(granted(&other, &yours).await > first);
    });
}

/// Each acquisition of others would be told to it.
#[test]
fn fences_are_not_watched() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let one = open(&server.url()).await;
        granted(&one, &claim("k")).await;
        let mut admin = admin(&server.url());
        let stats: String = cmd("INFO").arg("stats").query(&mut admin).unwrap();
        assert!(stats.contains("tracking_total_keys:1\r"), "{stats}");
    });
}

#[test]
fn asking_again_with_the_same_claim_gives_the_same_hold() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, other) = two_sessions(&server).await;
        let mine = claim("k");
        let fence = granted(&one, &mine).await;
        let mut admin = admin(&server.url());
        cmd("PEXPIRE")
            .arg(&mine.name)
            .arg(60_000)
            .exec(&mut admin)
            .unwrap();
        assert_eq!(granted(&other, &mine).await, fence);
        let left: u64 = cmd("PTTL").arg(&mine.name).query(&mut admin).unwrap();
        assert!(left > 60_000, "the lease begins again: {left} ms");
        assert!(other.release(&mine).await.unwrap());
    });
}

#[test]
fn a_waiter_hears_of_an_expiry() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let mut short = member();
        short.lease = Duration::from_millis(600);
        let one = open_as(&server.url(), short).await.unwrap();
        let other = open(&server.url()).await;
        let yours = claim("k");
        let begun = Instant::now();
        granted(&one, &claim("k")).await;
        while is_busy(&other, &yours).await {
            other.freed(&yours).await.unwrap();
        }
        let waited = begun.elapsed();
        assert!(waited > Duration::from_millis(400), "{waited:?}");
    });
}

#[test]
fn many_are_renewed_in_one_round_trip() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    let proxy = Proxy::to(server.port());
    run(async {
        let session = open(&format!("redis://127.0.0.1:{}", proxy.port())).await;
        let claims: Vec<_> = (0..2000).map(|n| claim(&format!("k{n}"))).collect();
        for claim in &claims {
            granted(&session, claim).await;
        }
        let mut admin = admin(&server.url());
        cmd("PEXPIRE")
            .arg(&claims[1234].name)
            .arg(60_000)
            .exec(&mut admin)
            .unwrap();
        proxy.stall_answers();
        let renewal = session.renew(&claims);
        let all_asked = async {
            loop {
                let left: i64 = cmd("PTTL")
                    .arg(&claims[1234].name)
                    .query(&mut admin)
                    .unwrap();
                if left > 60_000 {
                    break proxy.flow();
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let (kept, ()) = tokio::join!(renewal, all_asked);
        assert_eq!(kept.unwrap(), Kept::All);

        cmd("DEL").arg(&claims[7].name).exec(&mut admin).unwrap();
        let taken = format!("{:032x}\n9\n", 1);
        cmd("SET")
            .arg(&claims[1999].name)
            .arg(taken)
            .exec(&mut admin)
            .unwrap();
        cmd("DEL").arg(&claims[8].name).exec(&mut admin).unwrap();
        cmd("LPUSH")
            .arg(&claims[8].name)
            .arg("a list")
            .exec(&mut admin)
            .unwrap();
        assert_eq!(
            session.renew(&claims).await.unwrap(),
            Kept::AllBut(vec![7, 8, 1999])
        );
        assert!(!session.release(&claims[8]).await.unwrap());
        let refused = session.acquire(&claims[8], Asked::Once).await;
        assert!(matches!(refused, Err(Fault::Refused(_))), "{refused:?}");
        let left: i64 = cmd("PTTL").arg(&claims[7].name).query(&mut admin).unwrap();
        assert_eq!(left, -2, "what is lost must stay so");
    });
}

/// Nobody releases what was refused.
#[test]
fn what_is_refused_is_remembered_no_longer() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let session = open(&server.url()).await;
        let mine = claim("k");
        let remembers = || format!("{session:?}").contains(&mine.name);
        granted(&session, &mine).await;
        assert!(remembers());
        assert!(session.release(&mine).await.unwrap());
        cmd("LPUSH")
            .arg(&mine.name)
            .arg("a list")
            .exec(&mut admin(&server.url()))
            .unwrap();
        let refused = session.acquire(&mine, Asked::Waiting).await;
        assert!(matches!(refused, Err(Fault::Refused(_))), "{refused:?}");
        assert!(!remembers(), "{session:?}");
    });
}

#[test]
fn what_is_taken_away_before_its_first_renewal_is_told() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let session = open(&server.url()).await;
        let mine = claim("k");
        granted(&session, &mine).await;
        let mut admin = admin(&server.url());
        cmd("DEL").arg(&mine.name).exec(&mut admin).unwrap();
        is(session.lost().await, &[mine.nonce]);
    });
}

#[test]
fn what_is_taken_away_is_told() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let session = open(&server.url()).await;
        let mut admin = admin(&server.url());
        let claims: Vec<_> = (0..20).map(|n| claim(&n.to_string())).collect();
        for claim in &claims {
            granted(&session, claim).await;
        }
        // Not for its own renewal.
        assert_eq!(session.renew(&claims).await.unwrap(), Kept::All);
        let mut lost = Box::pin(session.lost());
        assert!(
            tokio::time::timeout(Duration::from_millis(300), &mut lost)
                .await
                .is_err()
        );

        cmd("DEL").arg(&claims[3].name).exec(&mut admin).unwrap();
        is(lost.await, &[claims[3].nonce]);
        // A change that leaves it is no loss.
        cmd("PEXPIRE")
            .arg(&claims[4].name)
            .arg(60_000)
            .exec(&mut admin)
            .unwrap();
        cmd("SET")
            .arg(&claims[5].name)
            .arg("mine now")
            .exec(&mut admin)
            .unwrap();
        is(session.lost().await, &[claims[5].nonce]);
        cmd("PEXPIRE")
            .arg(&claims[6].name)
            .arg(1)
            .exec(&mut admin)
            .unwrap();
        is(session.lost().await, &[claims[6].nonce]);
        // What was released isn't lost.
        session.release(&claims[7]).await.unwrap();
        cmd("FLUSHALL").exec(&mut admin).unwrap();
        let nonces: Vec<_> = claims.iter().map(|claim| claim.nonce).collect();
        for _ in 0..16 {
            is(session.lost().await, &nonces);
        }
        let mut lost = Box::pin(session.lost());
        assert!(
            tokio::time::timeout(Duration::from_millis(300), &mut lost)
                .await
                .is_err()
        );
    });
}

#[test]
fn another_session_renews_and_is_told_as_well() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let mine = claim("k");
        let session = open(&server.url()).await;
        granted(&session, &mine).await;
        drop(session);
        let session = open(&server.url()).await;
        assert_eq!(
            session.renew(slice::from_ref(&mine)).await.unwrap(),
            Kept::All
        );
        cmd("DEL")
            .arg(&mine.name)
            .exec(&mut admin(&server.url()))
            .unwrap();
        assert!(matches!(session.lost().await, Loss::Claim(nonce) if nonce == mine.nonce));
    });
}

#[test]
fn the_end_of_the_connection_is_told() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let session = open(&server.url()).await;
        let mut admin = admin(&server.url());
        let clients: String = cmd("CLIENT").arg("LIST").query(&mut admin).unwrap();
        assert!(clients.contains("name=lockutils:web-3:812"), "{clients}");
        let mut kill = cmd("CLIENT");
        kill.arg("KILL").arg("SKIPME").arg("yes");
        kill.arg("TYPE").arg("pubsub").exec(&mut admin).unwrap();
        assert!(matches!(
            session.lost().await,
            Loss::Session(Fault::Over(_))
        ));
        let answer = session.acquire(&claim("k"), Asked::Once).await;
        assert!(matches!(answer, Err(Fault::Over(_))), "{answer:?}");

        let session = open(&server.url()).await;
        server.kill();
        assert!(matches!(
            session.lost().await,
            Loss::Session(Fault::Over(_))
        ));
        let again = open_as(&server.url(), member()).await;
        assert!(matches!(again, Err(Fault::NotDone(_))), "{:?}", again.err());
    });
}

#[test]
fn a_server_that_forgot_the_scripts_is_told_them() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let session = open(&server.url()).await;
        let mut admin = admin(&server.url());
        let mut forget = || cmd("SCRIPT").arg("FLUSH").exec(&mut admin).unwrap();
        let claims: Vec<_> = (0..1200).map(|n| claim(&n.to_string())).collect();
        for claim in &claims {
            granted(&session, claim).await;
        }
        forget();
        assert_eq!(session.renew(&claims).await.unwrap(), Kept::All);
        forget();
        assert!(session.release(&claims[0]).await.unwrap());
        forget();
        granted(&session, &claims[0]).await;
    });
}

#[test]
fn a_question_is_sent_when_it_is_polled_first() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let session = open(&server.url()).await;
        for round in 0..200 {
            let (old, new) = (claim("k"), claim("k"));
            granted(&session, &old).await;
            let (released, answer) =
                tokio::join!(session.release(&old), session.acquire(&new, Asked::Once));
            assert!(released.unwrap());
            assert!(
                matches!(answer.unwrap(), Answer::Granted(_)),
                "round {round}"
            );
            session.release(&new).await.unwrap();
        }
    });
}

#[test]
fn fences_rise_also_without_the_data() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    let mut last = 0;
    for round in 0..6 {
        run(async {
            let session = open(&server.url()).await;
            for _ in 0..50 {
                let claim = claim("k");
                let fence = granted(&session, &claim).await;
                assert!(fence > last, "{fence} after {last}");
                last = fence;
                session.release(&claim).await.unwrap();
            }
        });
        match round % 3 {
            0 => server.restart(),
            1 => server.restart_empty(),
            _ => cmd("FLUSHALL").exec(&mut admin(&server.url())).unwrap(),
        }
    }
    // A clock that was set back doesn't matter as long as the data are there.
    let ahead = last + 3_600_000_000;
    cmd("SET")
        .arg("lockutils:#fence")
        .arg(ahead)
        .exec(&mut admin(&server.url()))
        .unwrap();
    run(async {
        let session = open(&server.url()).await;
        let fence = granted(&session, &claim("k")).await;
        assert!(fence > ahead && fence < ahead + 10, "{fence} after {ahead}");
        assert!(granted(&session, &claim("k2")).await > fence);
    });
}

#[test]
fn holders_are_found_by_prefix_and_any_text_is_a_key() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let long = "é".repeat(5000);
        let keys = [
            "a",
            "a:b",
            "#fence",
            ":#",
            "*",
            "\n\r\n$1\0",
            long.as_str(),
            " ",
            "é",
        ];
        cmd("SET")
            .arg("p:foreign")
            .arg("hello")
            .exec(&mut admin(&server.url()))
            .unwrap();
        cmd("LPUSH")
            .arg("p:list")
            .arg("hello")
            .exec(&mut admin(&server.url()))
            .unwrap();
        for prefix in ["p", "", "[p]*?\\^", "q:"] {
            let mut me = member();
            me.prefix = prefix.into();
            let session = open_as(&server.url(), me).await.unwrap();
            let claims: Vec<_> = keys.iter().map(|key| claim_of(prefix, key)).collect();
            for claim in &claims {
                granted(&session, claim).await;
                assert!(claim.name.len() < 1000);
                let held = session.holders(Query::Name(&claim.name)).await.unwrap();
                assert_eq!(held.len(), 1);
                assert_eq!(held[0].key.as_ref(), Some(&claim.key));
            }
            let held = session.holders(Query::All).await.unwrap();
            let mut found: Vec<_> = held.into_iter().map(|held| held.key.unwrap()).collect();
            found.sort();
            let mut expected = keys.to_vec();
            expected.sort_unstable();
            assert_eq!(found, expected, "{prefix}");
            let free = claim_of(prefix, "free");
            assert_eq!(session.holders(Query::Name(&free.name)).await.unwrap(), []);
        }
    });
}

#[test]
fn a_full_server_refuses_and_still_renews() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let session = open(&server.url()).await;
        let mine = claim("k");
        granted(&session, &mine).await;
        let mut admin = admin(&server.url());
        cmd("CONFIG")
            .arg("SET")
            .arg("maxmemory")
            .arg("1kb")
            .exec(&mut admin)
            .unwrap();
        let answer = session.acquire(&claim("other"), Asked::Once).await;
        assert!(
            matches!(&answer, Err(Fault::NotDone(cause)) if cause.to_string().contains("OOM")),
            "{answer:?}"
        );
        let session = open(&server.url()).await;
        assert_eq!(
            session.renew(slice::from_ref(&mine)).await.unwrap(),
            Kept::All
        );
        assert!(session.release(&mine).await.unwrap());
    });
}

#[test]
fn a_socket_of_the_file_system_will_do() {
    if !Redis::available() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("redis.sock");
    let socket = socket.to_str().unwrap();
    let server = Redis::with(&["--unixsocket", socket]);
    run(async {
        let session = open(&format!("redis+unix://{socket}")).await;
        granted(&session, &claim("k")).await;
        assert!(is_busy(&open(&server.url()).await, &claim("k")).await);
    });
}

#[test]
fn no_key_is_an_error() {
    let store = Store::from_url("redis://h").unwrap();
    assert!(store.locate("p", "").is_err());
    assert_eq!(store.name(), "redis://h:6379");
    assert_eq!(format!("{store:?}"), "Redis(\"redis://h:6379\")");
}
