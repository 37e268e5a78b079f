//! Leases and sessions: how they are renewed, lost and ended.

use super::*;
use crate::store::Freed;

#[test]
fn one_lease_is_given_up_for_a_claim_that_is_not_released() {
    let mut hand = Hand::holding(ONE_LEASE);
    hand.ask(2, "b", Asked::Waiting);
    hand.effects();
    hand.answer(4, Outcome::Acquired(Err(unknown())));
    assert_eq!(hand.effects(), ["5: release 2"]);
    hand.release(2);
    let mut last = 5;
    while hand.now < 9000 {
        hand.answer(last, Outcome::Released(Err(unknown())));
        let effects = hand.wait(500);
        if let Some(renew) = effects.iter().find(|effect| effect.ends_with("renew []")) {
            hand.renewed(renew.split(':').next().unwrap().parse().unwrap());
        }
        if let Some(release) = effects.iter().find(|effect| effect.ends_with("release 2")) {
            last = release.split(':').next().unwrap().parse().unwrap();
        }
        let is_lost = effects
            .iter()
            .any(|effect| effect == "1 is lost by Session");
        assert_eq!(is_lost, hand.now == 9000, "{effects:?}");
        hand.effects();
    }
}

#[test]
fn holds_of_one_lease_are_lost_with_the_session() {
    let mut hand = Hand::holding(ONE_LEASE);
    hand.ask(2, "b", Asked::Waiting);
    hand.busy(4);
    hand.effects();
    hand.protocol
        .lost(hand.now(), Call(1), Loss::Session(over()));
    assert_eq!(
        hand.effects(),
        ["1 is lost by Session", "5: abort", "6: close 1", "7: open"]
    );
    hand.open(7);
    assert_eq!(hand.effects(), ["8: acquire 3 waiting"]);
    // There is nothing to be released at the server.
    hand.release(1);
    assert_eq!(hand.effects(), ["1 is released: false", "1 is forgotten"]);
}

/// A claim that waits, by call 4, and was told so at 150 by a question that was sent at 100.
fn waiting(shape: Shape) -> Hand {
    let mut hand = Hand::connected(shape);
    hand.now = 100;
    hand.ask(1, "a", Asked::Waiting);
    assert_eq!(hand.effects(), ["3: acquire 1 waiting"]);
    hand.now = 150;
    hand.busy(3);
    assert_eq!(hand.effects(), ["1 is busy", "4: freed 1"]);
    hand
}

#[test]
fn hand_over_counts_from_before_the_last_question_and_is_renewed_soon() {
    let mut hand = waiting(ORDERED);
    hand.now = 2900;
    hand.answer(4, Outcome::Freed(Ok(Freed::Granted(7))));
    assert_eq!(hand.effects(), ["1 has 7 until 8200"]);
    assert_eq!(hand.wait(200), ["5: renew [1]"]);
    hand.renewed(5);
    assert_eq!(hand.effects(), ["1 until 11200"]);
    // Who has waited for longer has asked again.
    let mut hand = waiting(ORDERED);
    assert_eq!(hand.wait(3000), ["4: abort", "5: acquire 1 waiting"]);
    hand.busy(5);
    hand.effects();
    hand.answer(6, Outcome::Freed(Ok(Freed::Granted(7))));
    assert_eq!(hand.effects(), ["1 has 7 until 11250"]);
}

#[test]
fn place_that_becomes_the_lock_has_the_lease_of_its_session() {
    let mut hand = waiting(ONE_LEASE);
    hand.now = 2900;
    hand.answer(4, Outcome::Freed(Ok(Freed::Granted(7))));
    // By the question that has opened it, at 0.
    assert_eq!(hand.effects(), ["1 has 7 until 8100"]);
}

#[test]
fn hand_over_that_is_heard_of_too_late_is_given_back() {
    let mut hand = waiting(ORDERED);
    // The process was stopped.
    hand.now = 8200;
    hand.answer(4, Outcome::Freed(Ok(Freed::Granted(7))));
    assert_eq!(hand.effects(), ["5: release 1"]);
    hand.released(5, true);
    let effects = hand.wait(1000);
    assert_eq!(effects, ["6: acquire 2 waiting"], "as another claim");
}

#[test]
fn holds_with_a_lease_each_outlive_the_session() {
    let mut hand = Hand::holding(ORDERED);
    hand.now = 50;
    hand.protocol
        .lost(hand.now(), Call(1), Loss::Session(over()));
    assert_eq!(hand.effects(), ["4: close 1", "5: open"]);
    hand.open(5);
    assert_eq!(hand.effects(), ["6: renew [1]"]);
    hand.renewed(6);
    assert_eq!(hand.effects(), ["1 until 8150"]);
    // What the new session doesn't find any more is lost.
    hand.protocol
        .lost(hand.now(), Call(5), Loss::Session(over()));
    assert_eq!(hand.effects(), ["7: close 5", "8: open"]);
    hand.open(8);
    assert_eq!(hand.effects(), ["9: renew [1]"]);
    hand.answer(9, Outcome::Renewed(Ok(Kept::AllBut(vec![0]))));
    assert_eq!(hand.effects(), ["1 is lost by Server"]);
}

#[test]
fn question_in_a_session_that_ends_is_released_and_asked_in_the_next() {
    let mut hand = Hand::connected(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    hand.effects();
    hand.answer(3, Outcome::Acquired(Err(over())));
    assert_eq!(hand.effects(), ["4: close 1", "5: open"]);
    hand.open(5);
    assert_eq!(hand.effects(), ["6: release 1"]);
    hand.released(6, true);
    assert_eq!(hand.effects(), ["7: acquire 2 waiting"]);

    let mut hand = Hand::connected(ONE_LEASE);
    hand.ask(1, "a", Asked::Waiting);
    hand.effects();
    hand.answer(3, Outcome::Acquired(Err(over())));
    assert_eq!(hand.effects(), ["4: close 1", "5: open"]);
    hand.open(5);
    assert_eq!(hand.effects(), ["6: acquire 2 waiting"]);
}

#[test]
fn lease_counts_from_before_the_question_was_sent() {
    let mut hand = Hand::connected(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    hand.effects();
    hand.now = 500;
    hand.grant(3, 70);
    assert_eq!(hand.effects(), ["1 has 70 until 8100"]);
    assert_eq!(hand.wait(2500), ["4: renew [1]"]);
    hand.now = 3900;
    hand.renewed(4);
    assert_eq!(hand.effects(), ["1 until 11100"]);
    assert_eq!(hand.wait(2100), ["5: renew [1]"]);

    // With one lease it is that of the session, from before that was asked for.
    let mut hand = Hand::new(ONE_LEASE);
    hand.ask(1, "a", Asked::Waiting);
    hand.effects();
    hand.now = 500;
    hand.open(1);
    hand.effects();
    hand.now = 900;
    hand.grant(2, 70);
    assert_eq!(hand.effects(), ["1 has 70 until 8100"]);
}

/// It took so long to be granted that the lease may be over.
#[test]
fn lock_that_is_granted_too_late_is_given_back() {
    let mut hand = Hand::connected(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    hand.effects();
    hand.now = 8100;
    hand.grant(3, 70);
    assert_eq!(hand.effects(), ["4: release 1"]);
}

#[test]
fn renewals_come_each_third_of_a_lease() {
    for (shape, renew) in [(ORDERED, "renew [1]"), (ONE_LEASE, "renew []")] {
        let mut hand = Hand::holding(shape);
        for call in 4..10 {
            assert_eq!(hand.wait(2999), NONE);
            assert_eq!(hand.wait(1), [format!("{call}: {renew}")]);
            hand.renewed(call);
            assert_eq!(hand.effects(), [format!("1 until {}", hand.now + 8100)]);
        }
    }
}

#[test]
fn lock_is_lost_at_its_deadline_whatever_comes() {
    for shape in [ORDERED, ONE_LEASE] {
        let mut hand = Hand::holding(shape);
        let effects = hand.wait(8099);
        assert!(
            effects.iter().all(|effect| !effect.contains("lost")),
            "{effects:?}"
        );
        let effects = hand.wait(1);
        assert!(
            effects.contains(&"1 is lost by Time".to_owned()),
            "{effects:?}"
        );
    }
}

#[test]
fn answer_after_a_pause_does_not_revive_a_lock() {
    for shape in [ORDERED, ONE_LEASE] {
        let mut hand = Hand::holding(shape);
        hand.wait(3000);
        // The process stands still, and the answer comes with the first step afterwards.
        hand.now = 8100;
        hand.renewed(4);
        let effects = hand.effects();
        assert_eq!(effects[0], "1 is lost by Time", "{effects:?}");
        assert!(!effects.iter().any(|effect| effect.contains("until")));

        let mut hand = Hand::holding(shape);
        assert_eq!(hand.stop(9000)[0], "1 is lost by Time");
    }
}

/// Thousands of answers may be behind the first.
#[test]
fn renewal_is_the_first_thing_after_a_pause() {
    for (shape, renewal) in [(ORDERED, "5: renew [1]"), (ONE_LEASE, "5: renew []")] {
        let mut hand = Hand::holding(shape);
        hand.ask(2, "b", Asked::Waiting);
        hand.effects();
        hand.now = 5000;
        hand.busy(4);
        assert_eq!(hand.effects(), [renewal, "2 is busy", "6: freed 2"]);
    }
}

#[test]
fn answer_that_came_in_a_pause_is_heard_before_the_server_is_taken_for_silent() {
    for shape in [ORDERED, ONE_LEASE] {
        let after_a_pause = || {
            let mut hand = Hand::holding(shape);
            hand.ask(2, "b", Asked::Waiting);
            hand.effects();
            let effects = hand.stop(5000);
            assert!(
                effects.len() == 1 && effects[0].starts_with("5: renew"),
                "{effects:?}"
            );
            hand
        };
        let mut hand = after_a_pause();
        hand.grant(4, 80);
        assert!(hand.effects()[0].starts_with("2 has 80"));
        // If there is none, it is told soon.
        let mut hand = after_a_pause();
        assert_eq!(hand.wait(199), NONE);
        assert!(hand.wait(1).contains(&"4: abort".to_owned()));
        // Also where the process stands still once more.
        let mut hand = after_a_pause();
        assert!(hand.stop(401).contains(&"4: abort".to_owned()));
    }
}

#[test]
fn failed_renewal_is_repeated() {
    for shape in [ORDERED, ONE_LEASE] {
        let mut hand = Hand::holding(shape);
        hand.wait(3000);
        hand.answer(4, Outcome::Renewed(Err(unknown())));
        let effects = hand.wait(1000);
        assert!(effects[0].starts_with("5: renew"), "{effects:?}");
        hand.renewed(5);
        assert!(hand.effects()[0].starts_with("1 until"));
    }
}

#[test]
fn silent_renewal_costs_a_session_that_has_no_lease() {
    let mut hand = Hand::holding(ORDERED);
    let effects = hand.wait(6000);
    assert_eq!(
        effects,
        ["4: renew [1]", "4: abort", "5: close 1", "6: open"]
    );
    hand.open(6);
    assert_eq!(hand.effects(), ["7: renew [1]"]);

    let mut hand = Hand::holding(ONE_LEASE);
    let effects = hand.wait(7000);
    assert_eq!(effects, ["4: renew []", "4: abort", "5: renew []"]);
}

#[test]
fn what_the_server_says_is_lost_is_lost() {
    let mut hand = Hand::holding(ORDERED);
    hand.protocol.lost(hand.now(), Call(1), Loss::Claim(1));
    assert_eq!(hand.effects(), ["1 is lost by Server"]);
    assert!(!hand.protocol.is_held(Id(1)));
    hand.release(1);
    assert_eq!(hand.effects(), ["4: release 1"]);
    // Before the grant is heard of.
    hand.ask(2, "b", Asked::Once);
    hand.effects();
    hand.protocol.lost(hand.now(), Call(1), Loss::Claim(2));
    hand.grant(5, 9);
    assert_eq!(hand.effects(), ["6: release 2"]);
    // What is granted after that isn't lost.
    hand.released(6, false);
    assert_eq!(hand.wait(1000), ["7: acquire 3 once"]);
    hand.grant(7, 10);
    assert!(hand.effects()[0].starts_with("2 has 10"));
}

#[test]
fn closed_when_all_is_released_and_opened_anew() {
    let mut hand = Hand::holding(ORDERED);
    hand.protocol.close(0);
    assert!(hand.protocol.is_settled(), "who holds is not waited for");
    hand.release(1);
    assert_eq!(hand.effects(), ["4: release 1"]);
    assert!(!hand.protocol.is_settled());
    hand.released(4, true);
    let told = ["1 is released: true", "1 is forgotten", "5: close 1"];
    assert_eq!(hand.effects(), told);
    assert!(!hand.protocol.is_settled());
    hand.answer(5, Outcome::Closed);
    assert!(hand.protocol.is_settled());
    assert_eq!(hand.wait(60_000), NONE);
    hand.ask(2, "a", Asked::Once);
    assert_eq!(hand.effects(), ["6: open"]);
}

#[test]
fn sessions_that_end_at_once_are_not_opened_without_a_pause() {
    let mut hand = Hand::new(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    let mut opened = 0;
    while hand.now < 4000 {
        while let Some(effect) = hand.protocol.effect() {
            match effect {
                Effect::Start(call, Question::Open) => {
                    opened += 1;
                    hand.open(call.0);
                }
                Effect::Start(call, Question::Acquire(..)) => {
                    hand.answer(call.0, Outcome::Acquired(Err(over())));
                }
                Effect::Start(call, Question::Release(..)) => {
                    hand.answer(call.0, Outcome::Released(Err(over())));
                }
                _ => {}
            }
        }
        let next = hand.protocol.next().unwrap();
        hand.now = next.div_ceil(1_000_000);
        hand.protocol.pass(next);
    }
    assert!((5..20).contains(&opened), "{opened}");
}
