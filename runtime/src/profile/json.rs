//! A profile as the socket answers it.

use super::rows::{Row, Rows};
use super::table::Table;
use crate::costs::Cost;
use crate::json::Json;

/// How much of the table has room beside the rows, in bytes.
const TEXT: usize = 64 * 1024;

pub(super) fn write(rows: &Rows, json: &mut Json) {
    let left_off = json.field("profile").array(&rows.rows, row);
    json.field("left_off").number(left_off);
    json.field("lasted_s").seconds(rows.lasted);
    json.field("text").long_text(Table(rows), TEXT);
}

fn row(json: &mut Json, row: &Row) {
    json.object(|json| {
        json.field("space").text(row.space);
        json.field("held_by").text(&row.holder.text);
        json.field("waited").text(&row.waiter.text);
        cost(json, row.cost);
        json.field("keys").array(&row.keys, |json, (key, of_key)| {
            json.object(|json| {
                json.field("key").text(key.as_str());
                cost(json, *of_key);
            });
        });
    });
}

fn cost(json: &mut Json, Cost { nanoseconds, waits }: Cost) {
    let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
    json.field("waits").number(number(waits));
    json.field("waited_ns").number(number(nanoseconds));
}
