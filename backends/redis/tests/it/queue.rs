//! Those who wait have a queue at the server, and are handed the lock.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::slice;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use lockutils_redis::Redis as Store;
use lockutils_remote::{
    Answer, Asked, Fault, Freed, FromUrl as _, Kept, Loss, Query, Session as _, Store as _,
};
use lockutils_servers::Redis;
use redis::cmd;

use crate::setting::{
    admin, claim, granted, is, is_busy, member, open, open_as, run, two_sessions,
};

#[test]
fn a_release_hands_over_to_who_waits_first() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let url = server.url();
        let [one, two, three] = [(); 3].map(|()| open(&url));
        let (one, two, three) = tokio::join!(one, two, three);
        let [first, second, third] = [(); 3].map(|()| claim("k"));
        let mut last = granted(&one, &first).await;
        for (session, waits) in [(&two, &second), (&three, &third)] {
            assert!(is_busy(session, waits).await);
        }
        // Who asks again keeps its place.
        assert!(is_busy(&two, &second).await);
        let hand_overs = [
            (&one, &first, &two, &second),
            (&two, &second, &three, &third),
        ];
        for (from, released, to, waits) in hand_overs {
            // It was told of the hand-over before, which was to another one.
            assert!(is_busy(to, waits).await);
            let (freed, released) = tokio::join!(to.freed(waits), from.release(released));
            assert!(released.unwrap());
            let fence = handed(freed.unwrap());
            assert!(fence > last, "{fence} after {last}");
            assert_eq!(granted(to, waits).await, fence);
            assert_eq!(to.renew(slice::from_ref(waits)).await.unwrap(), Kept::All);
            last = fence;
        }

        // Also if it was handed over before anybody waits for that.
        let fourth = claim("k");
        assert!(is_busy(&one, &fourth).await);
        assert!(three.release(&third).await.unwrap());
        assert!(handed(one.freed(&fourth).await.unwrap()) > last);
        assert!(one.release(&fourth).await.unwrap());
        assert!(!two.release(&second).await.unwrap());
    });
}

#[test]
fn those_who_wait_are_counted() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, other) = two_sessions(&server).await;
        let (mine, alone) = (claim("k"), claim("alone"));
        granted(&one, &mine).await;
        granted(&one, &alone).await;
        let waits = [claim("k"), claim("k")];
        for (session, waits) in [&one, &other].into_iter().zip(&waits) {
            assert!(is_busy(session, waits).await);
        }
        let waiting = async || {
            let held = other.holders(Query::All).await.unwrap();
            let counts = held.into_iter().map(|lock| (lock.name, lock.waiting));
            counts.collect::<BTreeMap<_, _>>()
        };
        let (mine, alone) = (mine.name.clone(), alone.name.clone());
        let counts = |count| BTreeMap::from([(mine.clone(), count), (alone.clone(), 0)]);
        assert_eq!(waiting().await, counts(2));
        for (session, waits) in [&one, &other].into_iter().zip(&waits) {
            assert!(!session.release(waits).await.unwrap());
        }
        assert_eq!(waiting().await, counts(0));
    });
}

/// Waits until the server knows how many sessions there are.
async fn clients_are(many: usize, admin: &mut redis::Connection) {
    loop {
        let clients: String = cmd("CLIENT").arg("LIST").query(admin).unwrap();
        if clients.matches("name=lockutils:").count() == many {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The fencing token of a lock that was handed over.
fn handed(freed: Freed) -> u64 {
    match freed {
        Freed::Granted(fence) => fence,
        Freed::Ask => panic!("it isn't handed over"),
    }
}

#[test]
fn what_was_handed_over_is_watched() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, other) = two_sessions(&server).await;
        let (mine, yours) = (claim("k"), claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(&other, &yours).await);
        assert!(one.release(&mine).await.unwrap());
        handed(other.freed(&yours).await.unwrap());
        // The hand-over itself is no loss.
        let mut lost = pin!(other.lost());
        nothing_is_lost(lost.as_mut()).await;
        let mut admin = admin(&server.url());
        cmd("DEL").arg(&yours.name).exec(&mut admin).unwrap();
        is(lost.await, &[yours.nonce]);
    });
}

#[test]
fn what_a_session_hands_over_to_itself_is_watched() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let one = open(&server.url()).await;
        let (mine, yours) = (claim("k"), claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(&one, &yours).await);
        assert!(one.release(&mine).await.unwrap());
        handed(one.freed(&yours).await.unwrap());
        let mut lost = pin!(one.lost());
        nothing_is_lost(lost.as_mut()).await;
        let mut admin = admin(&server.url());
        cmd("DEL").arg(&yours.name).exec(&mut admin).unwrap();
        is(lost.await, &[yours.nonce]);
    });
}

/// Looks for what is lost, which may ask the server, and doesn't wait for the answer.
async fn look(mut lost: Pin<&mut impl Future<Output = Loss>>) {
    poll_fn(|cx| {
        assert!(lost.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

async fn nothing_is_lost(lost: Pin<&mut impl Future<Output = Loss>>) {
    let early = tokio::time::timeout(Duration::from_millis(300), lost).await;
    assert!(early.is_err(), "{early:?}");
}

#[test]
fn look_at_an_earlier_claim_does_not_lose_a_later_one() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, other) = two_sessions(&server).await;
        let [mine, early, later] = [(); 3].map(|()| claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(&other, &early).await);
        assert!(one.release(&mine).await.unwrap());
        handed(other.freed(&early).await.unwrap());
        let mut lost = pin!(other.lost());
        look(lost.as_mut()).await;
        assert!(other.release(&early).await.unwrap());
        granted(&other, &later).await;
        nothing_is_lost(lost).await;
    });
}

#[test]
fn look_at_an_earlier_claim_is_none_at_a_later_one() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, other) = two_sessions(&server).await;
        let [mine, early, again, later] = [(); 4].map(|()| claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(&other, &early).await);
        assert!(one.release(&mine).await.unwrap());
        handed(other.freed(&early).await.unwrap());
        let mut lost = pin!(other.lost());
        look(lost.as_mut()).await;
        assert!(is_busy(&one, &again).await);
        assert!(other.release(&early).await.unwrap());
        handed(one.freed(&again).await.unwrap());
        assert!(is_busy(&other, &later).await);
        nothing_is_lost(lost.as_mut()).await;
        assert!(one.release(&again).await.unwrap());
        handed(other.freed(&later).await.unwrap());
        nothing_is_lost(lost.as_mut()).await;
        let mut admin = admin(&server.url());
        cmd("DEL").arg(&later.name).exec(&mut admin).unwrap();
        is(lost.await, &[later.nonce]);
    });
}

#[test]
fn who_has_gone_is_not_handed_anything() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, other) = two_sessions(&server).await;
        let gone = open(&server.url()).await;
        let mut admin = admin(&server.url());
        let [mine, left, dead, yours] = [(); 4].map(|()| claim("k"));
        granted(&one, &mine).await;
        // One gives up; one is there no longer, which the server finds out in its own time.
        assert!(is_busy(&other, &left).await);
        assert!(!other.release(&left).await.unwrap());
        assert!(is_busy(&gone, &dead).await);
        drop(gone);
        clients_are(2, &mut admin).await;
        assert!(is_busy(&other, &yours).await);
        assert!(one.release(&mine).await.unwrap());
        handed(other.freed(&yours).await.unwrap());
        assert!(other.release(&yours).await.unwrap());
        let left: Vec<String> = cmd("KEYS").arg("*").query(&mut admin).unwrap();
        assert_eq!(left, ["lockutils:#fence"]);
    });
}

/// As one whose process is paused, or that the network has lost.
#[test]
fn who_is_silent_is_passed_over_until_it_asks_again() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, other) = two_sessions(&server).await;
        let third = open(&server.url()).await;
        let [mine, silent, yours] = [(); 3].map(|()| claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(&third, &silent).await);
        assert!(is_busy(&other, &yours).await);
        let mut admin = admin(&server.url());
        let mut range = cmd("ZRANGE");
        range.arg("lockutils:#asked:k").arg(0).arg(-1);
        let asked: Vec<String> = range.query(&mut admin).unwrap();
        assert_eq!(asked.len(), 2);
        let nonce = format!("{:032x}", silent.nonce);
        let place = asked.iter().find(|place| place.starts_with(&nonce));
        // Says that it has asked so much sooner.
        let mut sooner = |time: Duration| {
            let time = i64::try_from(time.as_micros()).unwrap();
            let mut add = cmd("ZINCRBY");
            add.arg("lockutils:#asked:k").arg(-time).arg(place);
            add.exec(&mut admin).unwrap();
        };
        sooner(third.lease() * 2 / 3);
        assert!(one.release(&mine).await.unwrap());
        handed(other.freed(&yours).await.unwrap());
        // It goes on, and has a place again; and keeps it though it is a little late.
        assert!(is_busy(&third, &silent).await);
        sooner(third.lease() / 2);
        assert!(other.release(&yours).await.unwrap());
        handed(third.freed(&silent).await.unwrap());
        assert!(third.release(&silent).await.unwrap());
        let left: Vec<String> = cmd("KEYS").arg("*").query(&mut admin).unwrap();
        assert_eq!(left, ["lockutils:#fence"]);
    });
}

#[test]
fn who_gives_up_passes_on_what_it_was_handed() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, other) = two_sessions(&server).await;
        let [mine, late, yours] = [(); 3].map(|()| claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(&other, &late).await);
        assert!(is_busy(&other, &yours).await);
        assert!(one.release(&mine).await.unwrap());
        // It doesn't know yet.
        assert!(other.release(&late).await.unwrap());
        handed(other.freed(&yours).await.unwrap());
        assert!(!other.release(&late).await.unwrap());
        assert!(other.release(&yours).await.unwrap());
    });
}

#[test]
fn who_has_a_short_lease_ends_nobodys_place() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let mut short = member();
        short.lease = Duration::from_millis(300);
        let (one, other) = two_sessions(&server).await;
        let brief = open_as(&server.url(), short).await.unwrap();
        let [mine, yours, late, next] = [(); 4].map(|()| claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(&other, &yours).await);
        assert!(is_busy(&brief, &late).await);
        assert!(!brief.release(&late).await.unwrap());
        let mut admin = admin(&server.url());
        let queue = "lockutils:#queue:k";
        let left: i64 = cmd("PTTL").arg(queue).query(&mut admin).unwrap();
        assert!((86_000_000..=86_400_000).contains(&left), "{left}");
        // It is asked for right behind the release.
        let again = one.acquire(&next, Asked::Waiting);
        let (released, again) = tokio::join!(one.release(&mine), again);
        assert!(released.unwrap());
        assert!(matches!(again.unwrap(), Answer::Busy(_)), "it overtakes");
        handed(other.freed(&yours).await.unwrap());
    });
}

#[test]
fn who_asks_again_in_another_session_leaves_no_place_behind() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, old) = two_sessions(&server).await;
        let new = open(&server.url()).await;
        let (mine, yours) = (claim("k"), claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(&old, &yours).await);
        // The server hasn't noticed that the old connection is of no use.
        assert!(is_busy(&new, &yours).await);
        assert!(one.release(&mine).await.unwrap());
        let fence = granted(&new, &yours).await;
        assert_eq!(handed(old.freed(&yours).await.unwrap()), fence);
        assert!(new.release(&yours).await.unwrap());
        let mut admin = admin(&server.url());
        let left: Vec<String> = cmd("KEYS").arg("*").query(&mut admin).unwrap();
        assert_eq!(left, ["lockutils:#fence"]);
    });
}

#[test]
fn who_gives_up_in_another_session_is_not_handed_anything() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let member = Arc::new(member());
        let store = Store::from_url(&server.url()).unwrap();
        let one = open(&server.url()).await;
        let mut sessions = Vec::new();
        for _ in 0..4 {
            sessions.push(store.open(&member).await.unwrap());
        }
        let mut admin = admin(&server.url());
        // The server hasn't noticed that the connections before are of no use.
        let [old, .., last] = &sessions[..] else {
            panic!("there are some");
        };
        let [mine, yours] = [(); 2].map(|()| claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(old, &yours).await);
        assert!(is_busy(last, &yours).await);
        assert!(!last.release(&yours).await.unwrap());
        assert!(one.release(&mine).await.unwrap());
        let left: Vec<String> = cmd("KEYS").arg("*").query(&mut admin).unwrap();
        assert_eq!(left, ["lockutils:#fence"]);

        // Nor is a place left of who asks again there and gets it.
        let [mine, yours] = [(); 2].map(|()| claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(old, &yours).await);
        cmd("DEL").arg(&mine.name).exec(&mut admin).unwrap();
        granted(last, &yours).await;
        let queue: bool = cmd("EXISTS")
            .arg("lockutils:#queue:k")
            .query(&mut admin)
            .unwrap();
        assert!(!queue, "it has a place still");
    });
}

#[test]
fn who_listens_to_all_channels_is_not_who_waits() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, gone) = two_sessions(&server).await;
        let mut listener = admin(&server.url());
        let mut channels = listener.as_pubsub();
        channels.psubscribe("*").unwrap();
        let (mine, dead) = (claim("k"), claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(&gone, &dead).await);
        drop(gone);
        let mut admin = admin(&server.url());
        clients_are(1, &mut admin).await;
        assert!(one.release(&mine).await.unwrap());
        let held: bool = cmd("EXISTS").arg(&mine.name).query(&mut admin).unwrap();
        assert!(!held, "it is handed to who has gone");
    });
}

#[test]
fn what_is_no_queue_is_refused_and_nothing_is_held() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let one = open(&server.url()).await;
        let mut admin = admin(&server.url());
        let mut set = cmd("SET");
        set.arg("lockutils:#queue:k").arg("x");
        set.exec(&mut admin).unwrap();
        let mine = claim("k");
        let answer = one.acquire(&mine, Asked::Waiting).await;
        assert!(matches!(answer, Err(Fault::Refused(_))), "{answer:?}");
        let held: bool = cmd("EXISTS").arg(&mine.name).query(&mut admin).unwrap();
        assert!(!held, "it is held by who was refused");
    });
}

/// Nobody knows then who is silent.
#[test]
fn what_is_no_list_of_who_has_asked_is_in_nobodys_way() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, other) = two_sessions(&server).await;
        let [mine, yours] = [(); 2].map(|()| claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(&other, &yours).await);
        let mut admin = admin(&server.url());
        let mut set = cmd("SET");
        set.arg("lockutils:#asked:k").arg("x");
        set.exec(&mut admin).unwrap();
        assert!(one.release(&mine).await.unwrap());
        handed(other.freed(&yours).await.unwrap());
        assert!(is_busy(&one, &mine).await);
        assert!(!one.release(&mine).await.unwrap(), "it leaves the queue");
        assert!(other.release(&yours).await.unwrap());
    });
}

#[test]
fn what_can_not_be_handed_over_is_free() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, other) = two_sessions(&server).await;
        let [mine, yours] = [(); 2].map(|()| claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(&other, &yours).await);
        let mut admin = admin(&server.url());
        let fence = "lockutils:#fence";
        cmd("DEL").arg(fence).exec(&mut admin).unwrap();
        let mut push = cmd("RPUSH");
        push.arg(fence).arg("x").exec(&mut admin).unwrap();
        assert!(one.release(&mine).await.unwrap());
        let held: bool = cmd("EXISTS").arg(&mine.name).query(&mut admin).unwrap();
        assert!(!held, "nobody has it");
        assert_eq!(other.freed(&yours).await.unwrap(), Freed::Ask);
    });
}

#[test]
fn a_full_server_hands_over() {
    if !Redis::available() {
        return;
    }
    let server = Redis::start();
    run(async {
        let (one, other) = two_sessions(&server).await;
        let [mine, yours, late] = [(); 3].map(|()| claim("k"));
        granted(&one, &mine).await;
        assert!(is_busy(&other, &yours).await);
        let mut admin = admin(&server.url());
        let mut set = cmd("CONFIG");
        set.arg("SET").arg("maxmemory").arg("1kb");
        set.exec(&mut admin).unwrap();
        // It has no place, and asks from time to time.
        assert!(is_busy(&one, &late).await);
        assert!(one.release(&mine).await.unwrap());
        handed(other.freed(&yours).await.unwrap());
        assert!(other.release(&yours).await.unwrap());
    });
}
