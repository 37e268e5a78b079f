mod claims;
mod leases;

use super::*;
use crate::store::{Answer, Kept, Shape, Taken};
use std::time::{Duration, SystemTime};

const ORDERED: Shape = Shape {
    one_lease: false,
    ordered: true,
    fair: false,
    least_lease: Duration::from_secs(1),
    greatest_lease: Duration::MAX,
};

const UNORDERED: Shape = Shape {
    ordered: false,
    ..ORDERED
};

const ONE_LEASE: Shape = Shape {
    one_lease: true,
    ..ORDERED
};

/// A protocol that is driven by hand, with a lease of 9 s, a server that may be silent for 4 s, and
/// a clock that counts milliseconds.
struct Hand {
    protocol: Protocol,
    now: u64,
}

impl Hand {
    fn new(shape: Shape) -> Self {
        let rules = Rules {
            shape,
            lease: Duration::from_secs(9),
            answer_timeout: Duration::from_secs(4),
            most: usize::MAX,
        };
        Self {
            protocol: Protocol::new(rules, 7),
            now: 0,
        }
    }

    /// With a session, which has the number 1 and was asked for at 0.
    fn connected(shape: Shape) -> Self {
        let mut hand = Self::new(shape);
        hand.ask(0, "first", Asked::Once);
        assert_eq!(hand.effects(), ["1: open"]);
        hand.answer(1, Outcome::Opened(Ok(Duration::from_secs(9))));
        assert_eq!(hand.effects(), ["2: acquire 0 once"]);
        hand.answer(2, Outcome::Acquired(Ok(Answer::Busy(None))));
        assert_eq!(hand.effects(), ["0 is busy", "0 is forgotten"]);
        hand
    }

    /// With a session, and a lock that claim 1 holds by call 3, which was asked for at 0.
    fn holding(shape: Shape) -> Self {
        let mut hand = Self::connected(shape);
        hand.ask(1, "a", Asked::Waiting);
        assert_eq!(hand.effects(), ["3: acquire 1 waiting"]);
        hand.grant(3, 70);
        assert_eq!(hand.effects(), ["1 has 70 until 8100"]);
        hand
    }

    fn now(&self) -> u64 {
        self.now * 1_000_000
    }

    fn ask(&mut self, id: u64, name: &str, asked: Asked) {
        let claim = Claim {
            name: name.to_owned(),
            key: name.to_owned(),
            nonce: u128::from(id),
            shared: false,
            site: String::new(),
            since: SystemTime::UNIX_EPOCH,
        };
        self.protocol
            .ask(self.now(), Id(id), Arc::new(claim), asked);
    }

    fn release(&mut self, id: u64) {
        self.protocol.release(self.now(), Id(id));
    }

    fn answer(&mut self, call: u64, outcome: Outcome) {
        self.protocol.answered(self.now(), Call(call), outcome);
    }

    fn open(&mut self, call: u64) {
        self.answer(call, Outcome::Opened(Ok(Duration::from_secs(9))));
    }

    fn grant(&mut self, call: u64, fence: u64) {
        self.answer(call, Outcome::Acquired(Ok(Answer::Granted(fence))));
    }

    fn busy(&mut self, call: u64) {
        self.answer(call, Outcome::Acquired(Ok(Answer::Busy(None))));
    }

    fn released(&mut self, call: u64, was_held: bool) {
        self.answer(call, Outcome::Released(Ok(was_held)));
    }

    fn renewed(&mut self, call: u64) {
        self.answer(call, Outcome::Renewed(Ok(Kept::All)));
    }

    /// Lets time pass as whoever drives it would.
    fn wait(&mut self, milliseconds: u64) -> Vec<String> {
        let end = self.now + milliseconds;
        let mut effects = Vec::new();
        while let Some(next) = self.protocol.next().filter(|next| *next <= end * 1_000_000) {
            self.now = self.now.max(next.div_ceil(1_000_000));
            self.protocol.pass(self.now());
            effects.extend(self.effects());
        }
        self.now = end;
        effects
    }

    /// Lets a second pass, with a server that renews.
    fn a_second(&mut self) -> Vec<String> {
        let effects = self.wait(1000);
        for effect in &effects {
            if let Some(call) = effect.strip_suffix(": renew []") {
                self.renewed(call.parse().unwrap());
            }
        }
        effects
    }

    /// The process stands still.
    fn stop(&mut self, milliseconds: u64) -> Vec<String> {
        self.now += milliseconds;
        self.protocol.pass(self.now());
        self.effects()
    }

    fn effects(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.protocol.effect())
            .map(text)
            .collect()
    }
}

fn text(effect: Effect) -> String {
    match effect {
        Effect::Start(Call(call), question) => format!("{call}: {}", question_text(question)),
        Effect::Abort(Call(call)) => format!("{call}: abort"),
        Effect::Forget(Id(id)) => format!("{id} is forgotten"),
        Effect::Renewed(ids, deadline) => {
            let ids: Vec<_> = ids.iter().map(|Id(id)| id.to_string()).collect();
            format!("{} until {}", ids.join(" "), deadline / 1_000_000)
        }
        Effect::Tell(Id(id), news) => match news {
            News::Granted { fence, deadline } => {
                format!("{id} has {fence} until {}", deadline / 1_000_000)
            }
            News::Busy(_) => format!("{id} is busy"),
            News::Unavailable(trouble) => format!("{id} is told: {trouble}"),
            News::Lost(by) => format!("{id} is lost by {by:?}"),
            News::Released(was_held) => format!("{id} is released: {was_held}"),
            News::Unreleased(trouble) => format!("{id} is not released: {trouble}"),
            News::Seen(holders) => format!("{id} sees {}", holders.len()),
        },
    }
}

fn question_text(question: Question) -> String {
    match question {
        Question::Open => "open".to_owned(),
        Question::Acquire(_, claim, Asked::Once) => format!("acquire {} once", claim.nonce),
        Question::Acquire(_, claim, Asked::Waiting) => format!("acquire {} waiting", claim.nonce),
        Question::Freed(_, claim) => format!("freed {}", claim.nonce),
        Question::Release(_, claim) => format!("release {}", claim.nonce),
        Question::Renew(_, claims) => {
            let nonces: Vec<_> = claims.iter().map(|claim| claim.nonce).collect();
            format!("renew {nonces:?}")
        }
        Question::Holders(_, look) => format!("holders {look:?}"),
        Question::Close(Call(session)) => format!("close {session}"),
    }
}

fn unknown() -> Fault {
    Fault::Unknown("cut".into())
}

fn over() -> Fault {
    Fault::Over("gone".into())
}

const NONE: [&str; 0] = [];
