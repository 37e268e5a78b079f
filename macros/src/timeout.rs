//! The value of `acquire_timeout`: an expression, or a literal such as `"250ms"`, which
//! is read here, so that a bad one doesn't compile.

use proc_macro2::Ident;
use std::time::Duration;
use syn::{Error, Expr, ExprLit, Lit, LitFloat, LitInt, LitStr, Result, UnOp};

#[derive(Clone)]
pub(crate) enum Timeout {
    Literal(Duration),
    Value {
        /// `acquire_timeout`, as the user wrote it.
        name: Ident,
        value: Expr,
    },
}

/// With the number of nanoseconds in each.
const UNITS: [(&str, u64); 5] = [
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60 * 1_000_000_000),
    ("h", 60 * 60 * 1_000_000_000),
];

impl Timeout {
    pub(crate) fn of(name: &Ident, value: Expr) -> Result<Self> {
        match value {
            Expr::Group(group) => Self::of(name, *group.expr),
            Expr::Lit(ExprLit { lit, .. }) => of_literal(&lit).map(Self::Literal),
            Expr::Unary(unary) if is_negative_number(unary.op, &unary.expr) => {
                Err(Error::new_spanned(unary, NEGATIVE))
            }
            value => Ok(Self::Value {
                name: name.clone(),
                value,
            }),
        }
    }
}

const NEGATIVE: &str =
    "a timeout cannot be negative; to give up at once write `nonblocking` in its place";

fn is_negative_number(operator: UnOp, operand: &Expr) -> bool {
    let is_number = |expr: &ExprLit| matches!(expr.lit, Lit::Int(_) | Lit::Float(_));
    matches!(operator, UnOp::Neg(_)) && matches!(operand, Expr::Lit(expr) if is_number(expr))
}

fn of_literal(literal: &Lit) -> Result<Duration> {
    let message = match literal {
        Lit::Str(text) => return of_text(text),
        Lit::Int(number) => without_quotes(number),
        Lit::Float(number) => float(number),
        _ => "expected a `Duration`, or a text such as `\"5s\"`".to_owned(),
    };
    Err(Error::new_spanned(literal, message))
}

/// `5`, and `5s`, which is a number to the compiler as well.
fn without_quotes(number: &LitInt) -> String {
    let digits = number.base10_digits();
    let text = match number.suffix() {
        unit if is_unit(unit) => format!("{digits}{unit}"),
        _ => format!("{digits}s"),
    };
    format!(
        "a number has no unit; for a literal write a text, such as `acquire_timeout = \"{text}\"`"
    )
}

fn float(number: &LitFloat) -> String {
    let milliseconds = number
        .base10_parse::<f64>()
        .map_or(1500.0, |seconds| seconds * 1000.0);
    format!(
        "a number has no unit; for seconds write a text, `acquire_timeout = \"{milliseconds:.0}ms\"`"
    )
}

fn is_unit(text: &str) -> bool {
    UNITS.iter().any(|(unit, _)| *unit == text)
}

fn of_text(literal: &LitStr) -> Result<Duration> {
    parse(&literal.value()).map_err(|message| Error::new_spanned(literal, message))
}

fn parse(text: &str) -> std::result::Result<Duration, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("missing duration, expected a number and a unit, such as `\"5s\"`".to_owned());
    }
    if text.starts_with('-') {
        return Err(NEGATIVE.to_owned());
    }
    let unit_at = text.find(|digit: char| !digit.is_ascii_digit());
    let (digits, unit) = text.split_at(unit_at.unwrap_or(text.len()));
    let unit = unit.trim_start();
    if is_unit(text) {
        return Err(format!(
            "missing number before `{text}`, such as `\"5{text}\"`"
        ));
    }
    if digits.is_empty() {
        return Err(format!(
            "expected a number and a unit, such as `\"5s\"`, found `{text}`; an expression for a `Duration` stands without quotes"
        ));
    }
    if unit.is_empty() {
        return Err(format!(
            "missing unit in `\"{text}\"`; write `\"{digits}s\"` for seconds, or one of {}",
            units()
        ));
    }
    if unit.starts_with(['.', ',', '_', '\'']) {
        return Err(
            "expected a whole number and a unit; for a fraction use a smaller unit, such as `\"1500ms\"` for one and a half seconds"
                .to_owned(),
        );
    }
    if unit.contains(|digit: char| digit.is_ascii_digit()) {
        return Err(format!(
            "expected one number and one unit, found `{text}`; write it in the smaller unit, such as `\"90min\"` for one and a half hours"
        ));
    }
    let Some((_, nanoseconds)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("unknown unit `{unit}`; {}", meant(digits, unit)));
    };
    let nanoseconds = digits
        .parse::<u128>()
        .ok()
        .and_then(|number| number.checked_mul(u128::from(*nanoseconds)));
    match nanoseconds.map(u64::try_from) {
        Some(Ok(0)) => {
            Err("a timeout of zero would not wait; write `nonblocking` in its place".to_owned())
        }
        Some(Ok(nanoseconds)) => Ok(Duration::from_nanos(nanoseconds)),
        _ => Err(format!(
            "`{text}` is longer than 500 years; to wait for ever leave `acquire_timeout` out"
        )),
    }
}

/// What to write for an unknown unit.
fn meant(digits: &str, unit: &str) -> String {
    let lower = unit.to_lowercase();
    let meant = match &*lower {
        "m" | "mins" | "minute" | "minutes" => "min",
        "sec" | "secs" | "second" | "seconds" => "s",
        "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => "ms",
        "µs" | "μs" | "usec" | "micros" | "microsecond" | "microseconds" => "us",
        "hr" | "hrs" | "hour" | "hours" => "h",
        other if is_unit(other) => other,
        _ => return format!("expected one of {}", units()),
    };
    format!(
        "did you mean `\"{digits}{meant}\"`? the units are {}",
        units()
    )
}

fn units() -> String {
    let [first @ .., last] = UNITS.map(|(unit, _)| format!("`{unit}`"));
    format!("{} and {last}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_unit_are_a_duration() {
        for (text, duration) in [
            ("1us", Duration::from_micros(1)),
            ("250ms", Duration::from_millis(250)),
            ("5s", Duration::from_secs(5)),
            ("5 s", Duration::from_secs(5)),
            ("007s", Duration::from_secs(7)),
            ("2min", Duration::from_mins(2)),
            ("1h", Duration::from_hours(1)),
            ("5000000h", Duration::from_hours(5_000_000)),
        ] {
            assert_eq!(parse(text), Ok(duration), "{text}");
        }
    }

    #[test]
    fn bad_duration_says_what_to_write() {
        for (text, part) in [
            ("", "missing duration"),
            ("-5s", "negative"),
            ("5", "`\"5s\"` for seconds"),
            ("s", "missing number before `s`"),
            ("five", "expected a number and a unit"),
            ("timeout()", "without quotes"),
            ("1.5s", "whole number"),
            ("1h30min", "`\"90min\"`"),
            ("2m", "did you mean `\"2min\"`?"),
            ("2MS", "did you mean `\"2ms\"`?"),
            ("2d", "expected one of `us`, `ms`, `s`, `min` and `h`"),
            ("0ms", "write `nonblocking`"),
            ("6000000h", "longer than 500 years"),
            ("99999999999999999999999999999999999999999999h", "longer"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
