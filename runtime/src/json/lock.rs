//! Locks, and who holds them and waits for them, in JSON. What isn't known has no field.

use super::Json;
use crate::holder::Holder;
use crate::name::Keys;
use crate::state::{LockState, Waiter};

/// A lock. Of its keys is shown what `keys` says.
pub(crate) fn state(lock: &LockState, keys: Keys, json: &mut Json) {
    json.object(|json| {
        json.field("space").text(lock.space);
        json.field("key").text(keys.shown(&lock.key).as_str());
        let (holders, left_off) = by_thread(&lock.holders);
        let no_room = json
            .field("holders")
            .array(holders, |json, (one, times)| who(one, times, json));
        let left_off = left_off + no_room;
        if left_off > 0 {
            json.field("holders_left_off").number(left_off);
        }
        json.field("queue")
            .array(&lock.queue, |json, waiter| self::waiter(waiter, json));
        json.field("waiters").number(lock.waiters);
        json.field("waiter_s").seconds(lock.waited);
        json.field("suspected").bool(lock.suspected_deadlock);
    });
}

/// How many holders of a lock are shown.
const HOLDERS: usize = 20;

/// Who has a lock, each with how often: a thread that has gone in again is one holder. And how many holds
/// more there are than those of the holders that are shown.
fn by_thread(holds: &[Holder]) -> (Vec<(&Holder, usize)>, usize) {
    let (mut shown, mut left_off) = (Vec::<(&Holder, usize)>::new(), 0);
    for hold in holds {
        let known = shown.iter().position(|(one, _)| one.is_same_thread(hold));
        match known {
            Some(index) => shown[index].1 += 1,
            None if shown.len() < HOLDERS => shown.push((hold, 1)),
            None => left_off += 1,
        }
    }
    (shown, left_off)
}

/// A holder, and how often it has the lock.
pub(crate) fn who(holder: &Holder, times: usize, json: &mut Json) {
    json.object(|json| {
        fields_of(holder, json);
        if times > 1 {
            json.field("times").number(times);
        }
        if let Some(held) = holder.held_for() {
            json.field("held_at_least_s").seconds(held);
        }
    });
}

fn waiter(waiter: &Waiter, json: &mut Json) {
    json.object(|json| {
        fields_of(waiter.who(), json);
        json.field("since_s").seconds(waiter.waited());
        if let Some(left) = waiter.gives_up_in() {
            json.field("gives_up_in_s").seconds(left);
        }
        let not_polled = waiter.who().not_polled_for().is_some();
        let state = if not_polled { "not polled" } else { "queued" };
        json.field("state").text(state);
        if waiter.shared() {
            json.field("shared").bool(true);
        }
    });
}

/// Who it is.
pub(crate) fn fields_of(holder: &Holder, json: &mut Json) {
    let texts = [
        ("site", holder.place()),
        ("thread", holder.thread_name().map(str::to_owned)),
        ("task", holder.label().map(str::to_owned)),
        ("command", holder.command().map(str::to_owned)),
        ("host", holder.host().map(str::to_owned)),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            json.field(name).text(text);
        }
    }
    let numbers = [
        ("tid", holder.os_thread()),
        ("pid", holder.pid()),
        ("runs", holder.runs()),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            json.field(name).number(number as usize);
        }
    }
    if let Some(number) = holder.pid_namespace() {
        json.field("pid_namespace")
            .number(usize::try_from(number).unwrap_or(0));
    }
    if let Some(time) = holder.not_polled_for() {
        json.field("not_polled_s").seconds(time);
    }
    // As texts say it, of a thread without a name as well.
    json.field("text").text(format_args!("{holder:#}"));
}
