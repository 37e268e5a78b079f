use super::FakeServer;
use crate::store::{Answer, Asked, Claim, Kept, Member, Query};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

fn member() -> Arc<Member> {
    Arc::new(Member {
        prefix: "test".to_owned(),
        lease: Duration::from_nanos(100),
        answer_timeout: Duration::from_secs(1),
        host: "host".to_owned(),
        pid: 7,
        command: "command".to_owned(),
        is_for_another: false,
    })
}

fn claim(nonce: u128, shared: bool) -> Claim {
    Claim {
        name: "test/a".to_owned(),
        key: "a".to_owned(),
        nonce,
        shared,
        site: "site".to_owned(),
        since: SystemTime::UNIX_EPOCH,
    }
}

fn is_busy(answer: &Answer) -> bool {
    matches!(answer, Answer::Busy(_))
}

#[test]
fn those_who_wait_come_in_their_order_with_growing_fences() {
    for one_lease in [false, true] {
        let mut server = FakeServer::new(one_lease);
        let (one, other) = (server.open(0, &member()), server.open(0, &member()));
        let claims = [1, 2, 3].map(|nonce| claim(nonce, false));
        let [first, second, third] = &claims;
        let granted = server.acquire(0, one, first, Asked::Once).unwrap();
        assert_eq!(granted, Answer::Granted(1));
        assert!(is_busy(
            &server.acquire(0, other, second, Asked::Waiting).unwrap()
        ));
        assert!(is_busy(
            &server.acquire(0, one, third, Asked::Waiting).unwrap()
        ));
        assert!(!server.is_freed(0, other, second).unwrap());
        assert!(server.release(0, one, first).unwrap());
        assert!(!server.release(0, one, first).unwrap());
        assert!(!server.is_freed(0, one, third).unwrap());
        assert!(is_busy(
            &server.acquire(0, one, third, Asked::Waiting).unwrap()
        ));
        assert!(server.is_freed(0, other, second).unwrap());
        let granted = server.acquire(0, other, second, Asked::Waiting).unwrap();
        assert_eq!(granted, Answer::Granted(2));
        // To ask again changes nothing.
        let granted = server.acquire(0, other, second, Asked::Waiting).unwrap();
        assert_eq!(granted, Answer::Granted(2));
        assert_eq!(server.held_by(0, "test/a"), [2]);
        let holders = server.holders(0, one, Query::All).unwrap();
        assert_eq!(holders[0].fence, Some(2));
        assert_eq!(holders[0].waiting, 1);
    }
}

#[test]
fn what_is_not_renewed_is_over() {
    let mut server = FakeServer::new(false);
    let session = server.open(0, &member());
    let claims = [1, 2].map(|nonce| Arc::new(claim(nonce, true)));
    for claim in &claims {
        let answer = server.acquire(0, session, claim, Asked::Once).unwrap();
        assert!(!is_busy(&answer));
    }
    assert_eq!(server.renew(99, session, &claims[..1]), Ok(Kept::All));
    assert_eq!(server.next(), Some(100));
    assert_eq!(
        server.renew(100, session, &claims),
        Ok(Kept::AllBut(vec![1]))
    );
    assert_eq!(server.held_by(199, "test/a"), [1]);
    assert_eq!(server.held_by(200, "test/a"), [0_u128; 0]);

    let mut server = FakeServer::new(true);
    let session = server.open(0, &member());
    server
        .acquire(50, session, &claims[0], Asked::Once)
        .unwrap();
    assert_eq!(server.renew(99, session, &[]), Ok(Kept::All));
    assert_eq!(server.held_by(198, "test/a"), [1]);
    assert!(server.renew(199, session, &[]).is_err());
    assert_eq!(server.held_by(199, "test/a"), [0_u128; 0]);
}

#[test]
fn restart_ends_sessions_and_keeps_what_it_is_to_keep() {
    for keep in [false, true] {
        let mut server = FakeServer::new(false);
        let session = server.open(0, &member());
        let claim = Arc::new(claim(1, false));
        server.acquire(0, session, &claim, Asked::Once).unwrap();
        server.restart(keep);
        assert!(server.renew(1, session, &[Arc::clone(&claim)]).is_err());
        let session = server.open(1, &member());
        let expected = if keep {
            Kept::All
        } else {
            Kept::AllBut(vec![0])
        };
        assert_eq!(
            server.renew(1, session, &[Arc::clone(&claim)]),
            Ok(expected)
        );
        server.release(1, session, &claim).unwrap();
        let granted = server.acquire(1, session, &claim, Asked::Once).unwrap();
        assert_eq!(granted, Answer::Granted(2));
    }
}

#[test]
fn sharers_are_inside_together_unless_somebody_waits() {
    let mut server = FakeServer::new(false);
    let session = server.open(0, &member());
    let mut ask =
        |claim: &Claim| is_busy(&server.acquire(0, session, claim, Asked::Waiting).unwrap());
    assert!(!ask(&claim(1, true)) && !ask(&claim(2, true)));
    assert!(ask(&claim(3, false)));
    assert!(ask(&claim(4, true)));
    assert_eq!(server.lose("test/a").len(), 2);
    let mut ask =
        |claim: &Claim| is_busy(&server.acquire(0, session, claim, Asked::Waiting).unwrap());
    assert!(ask(&claim(4, true)));
    assert!(!ask(&claim(3, false)));
}
