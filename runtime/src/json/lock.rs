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
        let holders = json.field("holders");
        let left_off = holders.array(lock.holders.iter().take(HOLDERS), |json, one| {
            who(one, json);
        });
        let left_off = left_off + lock.holders.len().saturating_sub(HOLDERS);
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

/// A holder.
pub(crate) fn who(holder: &Holder, json: &mut Json) {
    json.object(|json| {
        fields_of(holder, json);
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
    for (name, number) in [("tid", holder.os_thread()), ("pid", holder.pid())] {
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
