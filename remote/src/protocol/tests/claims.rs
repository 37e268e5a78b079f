//! How locks are asked for, had and released.

use super::*;
use crate::store::Freed;

#[test]
fn lock_is_granted_and_released_in_one_question_each() {
    let mut hand = Hand::holding(ORDERED);
    assert!(hand.protocol.is_held(Id(1)));
    hand.release(1);
    assert_eq!(hand.effects(), ["4: release 1"]);
    assert!(!hand.protocol.is_settled());
    hand.released(4, true);
    assert_eq!(hand.effects(), ["1 is released: true", "1 is forgotten"]);
    assert!(hand.protocol.is_settled() && hand.protocol.is_idle());
}

#[test]
fn waiter_asks_again_when_it_is_worth_it() {
    let mut hand = Hand::connected(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    assert_eq!(hand.effects(), ["3: acquire 1 waiting"]);
    hand.busy(3);
    assert_eq!(hand.effects(), ["1 is busy", "4: freed 1"]);
    hand.now = 100;
    hand.answer(4, Outcome::Freed(Ok(Freed::Ask)));
    assert_eq!(hand.effects(), ["5: acquire 1 waiting"]);
    hand.grant(5, 3);
    assert_eq!(hand.effects(), ["1 has 3 until 8200"]);
}

#[test]
fn waiter_that_is_told_nothing_asks_again_each_third_of_a_lease() {
    let mut hand = Hand::connected(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    hand.busy(3);
    hand.effects();
    assert_eq!(hand.wait(2999), NONE);
    assert_eq!(hand.wait(1), ["4: abort", "5: acquire 1 waiting"]);
}

#[test]
fn waiter_that_has_lost_its_place_is_told_in_time_that_nobody_answers() {
    let mut hand = Hand::connected(ONE_LEASE);
    hand.ask(1, "a", Asked::Waiting);
    hand.busy(3);
    hand.effects();
    hand.protocol.lost(hand.now(), Call(1), Loss::Claim(1));
    assert_eq!(hand.effects(), ["4: abort", "5: acquire 1 waiting"]);
    let effects = hand.wait(4000);
    assert!(
        effects.contains(&"1 is told: it has not answered for 4s".to_owned()),
        "{effects:?}"
    );
}

/// Asks for so many locks, of which two may be under way at a time.
fn asking_for(count: u64) -> Hand {
    let mut hand = Hand::connected(ORDERED);
    hand.protocol.rules.most = 2;
    (1..=count).for_each(|id| hand.ask(id, &id.to_string(), Asked::Waiting));
    assert_eq!(
        hand.effects(),
        ["3: acquire 1 waiting", "4: acquire 2 waiting"]
    );
    hand
}

#[test]
fn so_many_questions_are_under_way_and_the_others_are_asked_in_turn() {
    let mut hand = asking_for(5);
    hand.release(4);
    assert_eq!(hand.effects(), ["4 is forgotten"], "it was in line");
    hand.grant(4, 70);
    assert_eq!(
        hand.effects(),
        ["2 has 70 until 8100", "5: acquire 3 waiting"]
    );
    // To wait is no question.
    hand.busy(3);
    assert_eq!(
        hand.effects(),
        ["1 is busy", "6: freed 1", "7: acquire 5 waiting"]
    );
    // A release is in line as well, and a renewal isn't.
    hand.release(2);
    assert_eq!(hand.effects(), NONE);
    hand.grant(5, 71);
    assert_eq!(hand.effects(), ["3 has 71 until 8100", "8: release 2"]);
}

#[test]
fn who_is_in_line_has_patience_while_others_are_answered() {
    let mut hand = asking_for(6);
    hand.wait(3000);
    for call in [3, 4] {
        hand.answer(call, Outcome::Acquired(Err(Fault::Refused("no".into()))));
    }
    let effects = hand.effects();
    assert!(
        effects.contains(&"6: acquire 4 waiting".to_owned()),
        "{effects:?}"
    );
    // The last two are still in line.
    assert_eq!(hand.wait(3999), NONE);
    let effects = hand.wait(1);
    for id in 3..=6 {
        let told = format!("{id} is told: it has not answered for 4s");
        assert!(effects.contains(&told), "{effects:?}");
    }
}

#[test]
fn those_in_line_are_asked_for_in_the_next_session_too() {
    let mut hand = asking_for(3);
    hand.protocol.lost(
        hand.now(),
        Call(1),
        Loss::Session(Fault::Over("restarted".into())),
    );
    hand.effects();
    hand.wait(1000);
    hand.open(6);
    let effects = hand.effects();
    let asks = effects
        .iter()
        .filter(|effect| effect.contains("acquire") || effect.contains("release"));
    assert_eq!(asks.count(), 2, "{effects:?}");
}

#[test]
fn asker_that_goes_before_there_is_a_session_leaves_nothing() {
    let mut hand = Hand::new(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    assert_eq!(hand.effects(), ["1: open"]);
    hand.release(1);
    assert_eq!(hand.effects(), ["1 is forgotten"]);
    hand.open(1);
    assert_eq!(hand.effects(), NONE);
}

#[test]
fn asker_that_goes_before_the_answer_gives_the_lock_back() {
    let mut hand = Hand::connected(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    hand.effects();
    hand.release(1);
    assert_eq!(hand.effects(), NONE);
    hand.grant(3, 3);
    assert_eq!(hand.effects(), ["4: release 1"]);
}

#[test]
fn asker_that_goes_after_the_grant_gives_the_lock_back() {
    let mut hand = Hand::holding(ORDERED);
    // As it goes, or as its guard is dropped: the protocol can't tell them apart.
    hand.release(1);
    assert_eq!(hand.effects(), ["4: release 1"]);
}

#[test]
fn asker_that_goes_while_it_waits_leaves_the_queue() {
    let mut hand = Hand::connected(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    hand.busy(3);
    hand.effects();
    hand.release(1);
    assert_eq!(hand.effects(), ["4: abort", "5: release 1"]);
    hand.released(5, false);
    assert_eq!(hand.effects(), ["1 is released: false", "1 is forgotten"]);
}

/// Also if its last question wasn't done: what it said before stays.
#[test]
fn asker_that_goes_while_it_asks_again_leaves_the_queue() {
    let mut hand = Hand::connected(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    hand.busy(3);
    hand.answer(4, Outcome::Freed(Ok(Freed::Ask)));
    hand.effects();
    hand.release(1);
    let full = Fault::NotDone("full".into());
    hand.answer(5, Outcome::Acquired(Err(full)));
    assert_eq!(hand.effects(), ["6: release 1"]);
}

#[test]
fn unknown_outcome_is_released_before_it_is_asked_again() {
    let mut hand = Hand::connected(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    hand.effects();
    hand.answer(3, Outcome::Acquired(Err(unknown())));
    assert_eq!(hand.effects(), ["4: release 1"]);
    hand.answer(4, Outcome::Released(Err(unknown())));
    assert_eq!(hand.effects(), NONE);
    assert_eq!(hand.wait(1000), ["5: release 1"]);
    hand.released(5, true);
    // By another nonce, since the first release may still be under way.
    assert_eq!(hand.wait(1000), ["6: acquire 2 waiting"]);
    hand.grant(6, 3);
    assert!(hand.effects()[0].starts_with("1 has 3 until 9"));
}

#[test]
fn question_that_its_release_overtakes_is_released_once_more() {
    let unordered = Shape {
        ordered: false,
        ..ONE_LEASE
    };
    for (shape, releases) in [(unordered, 1), (ONE_LEASE, 0), (UNORDERED, 0)] {
        let mut hand = Hand::connected(shape);
        hand.ask(5, "a", Asked::Waiting);
        hand.effects();
        hand.answer(3, Outcome::Acquired(Err(unknown())));
        assert_eq!(hand.effects(), ["4: release 5"]);
        hand.release(5);
        hand.released(4, false);
        assert_eq!(hand.effects(), ["5 is released: false", "5 is forgotten"]);
        let mut again = 0;
        for effect in (0..10).flat_map(|_| hand.a_second()) {
            again += usize::from(effect.ends_with(": release 5"));
        }
        assert_eq!(again, releases, "{shape:?}");
    }
}

#[test]
fn release_that_is_never_answered_is_given_up_with_the_lease() {
    let mut hand = Hand::holding(ORDERED);
    hand.release(1);
    hand.effects();
    for _ in 0..100 {
        let Some(next) = hand.protocol.next().filter(|_| !hand.protocol.is_idle()) else {
            break;
        };
        hand.now = next.div_ceil(1_000_000);
        hand.protocol.pass(next);
        for effect in std::iter::from_fn(|| hand.protocol.effect()).collect::<Vec<_>>() {
            if let Effect::Start(call, Question::Open) = effect {
                hand.open(call.0);
            }
        }
    }
    assert!(hand.protocol.is_idle());
    assert_eq!(hand.now, 9000);
}

#[test]
fn silent_server_is_told_of_in_time() {
    for shape in [ORDERED, ONE_LEASE] {
        let mut hand = Hand::connected(shape);
        hand.wait(100);
        hand.ask(1, "a", Asked::Once);
        let mut effects = hand.effects();
        effects.extend(hand.wait(4000));
        let told = effects
            .iter()
            .find(|effect| effect.starts_with("1 is told"));
        assert_eq!(
            told.unwrap(),
            "1 is told: it has not answered for 4s",
            "{effects:?}"
        );
    }
}

#[test]
fn answer_that_puts_off_again_and_again_is_told() {
    let mut hand = Hand::connected(ORDERED);
    hand.ask(1, "a", Asked::Once);
    hand.protocol.look(hand.now(), Id(2), Look::All);
    let mut effects = hand.effects();
    let mut all = Vec::new();
    while !effects.is_empty() {
        for (call, question) in effects.iter().filter_map(|text| text.split_once(": ")) {
            let full = || Fault::NotDone("its memory is full".into());
            let outcome = match question {
                "acquire 1 once" => Outcome::Acquired(Err(full())),
                "holders All" => Outcome::Seen(Err(full())),
                _ => continue,
            };
            hand.answer(call.parse().unwrap(), outcome);
        }
        all.append(&mut effects);
        effects = hand.wait(1000);
    }
    for told in [
        "1 is told: its memory is full",
        "2 is told: its memory is full",
    ] {
        assert!(all.iter().any(|effect| effect == told), "{all:?}");
    }
}

#[test]
fn server_that_can_not_be_reached_is_told_of_in_time() {
    let mut hand = Hand::new(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    let mut call = 1;
    assert_eq!(hand.effects(), ["1: open"]);
    loop {
        hand.answer(call, Outcome::Opened(Err(Fault::NotDone("refused".into()))));
        let effects = hand.wait(1000);
        call += 1;
        if hand.now == 4000 {
            assert!(
                effects.contains(&"1 is told: refused".to_owned()),
                "{effects:?}"
            );
            break;
        }
        assert_eq!(effects[0], format!("{call}: open"));
    }
}

#[test]
fn refusal_is_told_at_once() {
    let mut hand = Hand::new(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    hand.protocol.look(0, Id(2), Look::All);
    hand.effects();
    hand.answer(1, Outcome::Opened(Err(Fault::Refused("no right".into()))));
    assert_eq!(
        hand.effects(),
        [
            "1 is told: no right",
            "1 is forgotten",
            "2 is told: no right",
            "2 is forgotten"
        ]
    );
    let mut hand = Hand::connected(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    hand.effects();
    hand.answer(3, Outcome::Acquired(Err(Fault::Refused("too many".into()))));
    assert_eq!(hand.effects(), ["1 is told: too many", "1 is forgotten"]);
}

#[test]
fn lost_answer_of_a_release_is_asked_for_again() {
    let mut hand = Hand::holding(ORDERED);
    hand.release(1);
    hand.effects();
    hand.answer(4, Outcome::Released(Err(over())));
    assert_eq!(hand.effects(), ["5: close 1", "6: open"]);
    hand.open(6);
    assert_eq!(hand.effects(), ["7: release 1"]);
    hand.released(7, false);
    assert_eq!(hand.effects(), ["1 is released: false", "1 is forgotten"]);
}

#[test]
fn release_that_takes_too_long_is_told_and_goes_on() {
    let mut hand = Hand::holding(ORDERED);
    hand.release(1);
    let effects = [hand.effects(), hand.wait(4000)].concat();
    let told = "1 is not released: it has not answered for 4s".to_owned();
    assert!(effects.contains(&told), "{effects:?}");
    assert!(effects.iter().any(|effect| effect.ends_with("open")));
}

#[test]
fn next_of_the_name_asks_behind_the_release() {
    let mut hand = Hand::holding(ORDERED);
    hand.release(1);
    hand.ask(2, "a", Asked::Waiting);
    assert_eq!(hand.effects(), ["4: release 1", "5: acquire 2 waiting"]);

    let mut hand = Hand::holding(UNORDERED);
    hand.release(1);
    hand.ask(2, "a", Asked::Waiting);
    hand.ask(3, "b", Asked::Waiting);
    assert_eq!(hand.effects(), ["4: release 1", "5: acquire 3 waiting"]);
    hand.released(4, true);
    assert_eq!(
        hand.effects(),
        [
            "1 is released: true",
            "1 is forgotten",
            "6: acquire 2 waiting"
        ]
    );
}

/// A server may have no queue, and this process is always the first to ask.
#[test]
fn process_that_takes_a_lock_again_and_again_gives_way() {
    let mut hand = Hand::holding(ORDERED);
    let mut call = 4;
    for id in 2..12 {
        hand.now += 10;
        hand.release(id - 1);
        hand.ask(id, "a", Asked::Waiting);
        let expected = [
            format!("{call}: release {}", id - 1),
            format!("{}: acquire {id} waiting", call + 1),
        ];
        let effects = hand.effects();
        if hand.now >= 100 {
            // It waits until others can know that the lock is free, and for as long again.
            assert_eq!(effects, expected[..1]);
            assert_eq!(hand.wait(3), NONE);
            hand.released(call, true);
            hand.effects();
            assert_eq!(hand.wait(5), NONE);
            assert_eq!(hand.wait(1), expected[1..]);
            hand.grant(call + 1, id);
            // Then another run begins.
            hand.now += 10;
            hand.release(id);
            hand.ask(id + 1, "a", Asked::Waiting);
            assert_eq!(hand.effects().len(), 3);
            return;
        }
        assert_eq!(effects, expected);
        hand.released(call, true);
        hand.grant(call + 1, id);
        hand.effects();
        call += 2;
    }
    unreachable!("it has had the lock for long enough");
}

#[test]
fn try_is_not_refused_for_who_has_gone() {
    let mut hand = Hand::connected(ORDERED);
    hand.ask(1, "a", Asked::Waiting);
    hand.release(1);
    hand.ask(2, "a", Asked::Once);
    assert_eq!(hand.effects(), ["3: acquire 1 waiting"]);
    hand.grant(3, 1);
    assert_eq!(hand.effects(), ["4: release 1", "5: acquire 2 once"]);
}

#[test]
fn holders_are_seen() {
    let mut hand = Hand::connected(ORDERED);
    hand.protocol.look(0, Id(1), Look::Name("a".to_owned()));
    assert_eq!(hand.effects(), ["3: holders Name(\"a\")"]);
    hand.answer(3, Outcome::Seen(Err(unknown())));
    assert_eq!(hand.wait(1000), ["4: holders Name(\"a\")"]);
    hand.answer(4, Outcome::Seen(Ok(Vec::<Taken>::new())));
    assert_eq!(hand.effects(), ["1 sees 0", "1 is forgotten"]);
}
