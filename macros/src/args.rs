//! The grammar of `#[synchronized(..)]`: a text first, and `name = value`.
//!
//! Each argument is parsed by itself. After an error the parser goes on behind
//! the next comma, so that one build shows every mistake.

use crate::errors::all;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use std::fmt;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Error, Expr, ExprLit, Ident, Lit, LitStr, Path, Result, Token};

/// What stood in the parentheses.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) key: Option<Key>,
    pub(crate) locks: Option<Expr>,
    pub(crate) krate: Option<Path>,
}

pub(crate) enum Key {
    /// A string literal without braces.
    Text(LitStr),
    /// A string literal with braces, as `format!` takes.
    Format(LitStr),
    Value(Expr),
}

/// The arguments that have a name.
const NAMES: [&str; 3] = ["key", "locks", "crate"];

/// Names of later versions, so that they don't read as a mistake in spelling.
const LATER: [&str; 10] = [
    "keys",
    "external",
    "shared",
    "acquire_timeout",
    "nonblocking",
    "or_else",
    "when",
    "guard",
    "reentrant",
    "skip",
];

const LEGAL: &str = "expected a string literal, `key = ..`, `locks = ..` or `crate = ..`";

/// Parses what stood in the parentheses.
pub(crate) fn parse(args: TokenStream) -> Result<Args> {
    parse_all.parse2(args)
}

fn parse_all(input: ParseStream<'_>) -> Result<Args> {
    let mut args = Args::default();
    let mut results = Vec::new();
    while !input.is_empty() {
        let is_first = results.is_empty();
        results.push(args.parse_one(input, is_first));
        skip_to_comma(input);
        input.parse::<Option<Token![,]>>()?;
    }
    all(results).map(|()| args)
}

impl Args {
    fn parse_one(&mut self, input: ParseStream<'_>, is_first: bool) -> Result<()> {
        if input.peek(LitStr) {
            return self.parse_text(input, is_first);
        }
        let name = match input.fork().call(Ident::parse_any) {
            Ok(name) if is_argument(&name) || is_named(input) => input.call(Ident::parse_any)?,
            _ => return Err(unnamed(input)),
        };
        match &*name.to_string() {
            "key" => {
                let value = parse_value(input, &name, Expr::parse)?;
                self.set_key(&name, Key::of(value)?)
            }
            "locks" => {
                let value = parse_value(input, &name, Expr::parse)?;
                set(&mut self.locks, &name, value)
            }
            "crate" => {
                let value = parse_value(input, &name, parse_path)?;
                set(&mut self.krate, &name, value)
            }
            _ => {
                let error = unknown(&name, at_end(input));
                skip_value(input);
                Err(error)
            }
        }
    }

    fn parse_text(&mut self, input: ParseStream<'_>, is_first: bool) -> Result<()> {
        let text: LitStr = input.parse()?;
        expect_end("the text", input)?;
        if is_first {
            self.key = Some(Key::of_text(text)?);
            return Ok(());
        }
        let message = if self.key.is_some() {
            "there is a key already; a key of several parts is `key = (\"a\", \"b\")`"
        } else {
            "a text without a name must be the first argument; move it there, or write `key = ..`"
        };
        Err(Error::new_spanned(text, message))
    }

    fn set_key(&mut self, name: &Ident, key: Key) -> Result<()> {
        if let Some(Key::Text(text) | Key::Format(text)) = &self.key {
            let text = text.token();
            let message = format!(
                "the text {text} is the key already; remove the text, or remove `key = ..`"
            );
            return Err(Error::new_spanned(name, message));
        }
        set(&mut self.key, name, key)
    }
}

impl Key {
    fn of(value: Expr) -> Result<Self> {
        match value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Self::of_text(text),
            Expr::Group(group) => Self::of(*group.expr),
            value => Ok(Self::Value(value)),
        }
    }

    fn of_text(text: LitStr) -> Result<Self> {
        let value = text.value();
        if let Some(capture) = captures(&value).find(|capture| !is_name(capture)) {
            let message = format!(
                "expected a name in `{{{capture}}}`; for any other value write `key = format_args!(\"..\", value)`"
            );
            return Err(Error::new_spanned(text, message));
        }
        Ok(if value.contains(['{', '}']) {
            Self::Format(text)
        } else {
            Self::Text(text)
        })
    }
}

/// What stands in the braces of a format string, before its `:`. The compiler
/// accepts and suggests more than names there, but only with arguments behind the
/// string.
fn captures(format: &str) -> impl Iterator<Item = &str> {
    let mut rest = format;
    std::iter::from_fn(move || {
        loop {
            let (_, opened) = rest.split_once('{')?;
            if let Some(escaped) = opened.strip_prefix('{') {
                rest = escaped;
                continue;
            }
            let (capture, after) = opened.split_once('}')?;
            rest = after;
            return Some(capture.split(':').next().unwrap_or(capture).trim());
        }
    })
}

fn is_name(text: &str) -> bool {
    Ident::parse_any.parse_str(text).is_ok()
}

pub(crate) fn set<T>(slot: &mut Option<T>, name: &Ident, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new_spanned(
            name,
            format!("duplicate argument `{name}`"),
        )),
    }
}

/// Parses `= value`, up to the comma.
pub(crate) fn parse_value<T>(
    input: ParseStream<'_>,
    name: &Ident,
    parse: fn(ParseStream<'_>) -> Result<T>,
) -> Result<T> {
    let missing = format!("missing value, expected `{name} = ..`");
    if at_end(input) {
        return Err(Error::new_spanned(name, missing));
    }
    if !at_equals(input) {
        let message = format!("expected `=` after `{name}`; write `{name} = ..`");
        return Err(error_at_next(input, message));
    }
    let equals: Token![=] = input.parse()?;
    if at_end(input) {
        return Err(Error::new_spanned(quote!(#name #equals), missing));
    }
    let rest: TokenStream = input.fork().parse()?;
    let value = parse(input).map_err(|error| {
        if input.is_empty() {
            // There is no token to point at, and the error is at the whole attribute.
            Error::new_spanned(rest, format!("the value of `{name}` is incomplete"))
        } else {
            error
        }
    })?;
    expect_end(&format!("the value of `{name}`"), input)?;
    Ok(value)
}

pub(crate) fn parse_path(input: ParseStream<'_>) -> Result<Path> {
    if input.peek(Lit) {
        let message = "expected a path, found a literal; write `crate = my::path`";
        return Err(error_at_next(input, message));
    }
    Path::parse_mod_style(input)
}

fn expect_end(what: &str, input: ParseStream<'_>) -> Result<()> {
    if at_end(input) {
        Ok(())
    } else {
        Err(error_at_next(input, format!("expected `,` after {what}")))
    }
}

pub(crate) fn at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// `=`, but not the start of `==` or `=>`.
fn at_equals(input: ParseStream<'_>) -> bool {
    input.peek(Token![=]) && !input.peek(Token![==]) && !input.peek(Token![=>])
}

/// `name` or `name = ..`, and not the start of a longer expression.
fn is_named(input: ParseStream<'_>) -> bool {
    let after = input.fork();
    after.call(Ident::parse_any).is_ok() && (at_end(&after) || at_equals(&after))
}

fn is_argument(name: &Ident) -> bool {
    NAMES.iter().chain(&LATER).any(|legal| name == legal)
}

/// The error for what is neither a text nor has a name.
fn unnamed(input: ParseStream<'_>) -> Error {
    if input.peek(Token![,]) {
        return error_at_next(input, "expected an argument before `,`");
    }
    let message = format!("{LEGAL}; a key that is not a string literal needs its name");
    match input.fork().parse::<Expr>() {
        Ok(value) => Error::new_spanned(value, message),
        Err(_) => error_at_next(input, message),
    }
}

/// The error for a name that is no argument's. Alone, it may be meant as the key.
fn unknown(name: &Ident, alone: bool) -> Error {
    let text = name.unraw().to_string();
    let message = if LATER.contains(&&*text) {
        format!(
            "argument `{text}` is not supported by this version of lockutils; {LEGAL}, or take the lock by hand with the methods of `Locks`"
        )
    } else if let Some(close) = NAMES.into_iter().find(|legal| is_close(&text, legal)) {
        format!("unknown argument `{text}`; did you mean `{close}`? {LEGAL}")
    } else if alone {
        format!("unknown argument `{text}`; to lock on its value write `key = {name}`")
    } else {
        format!("unknown argument `{text}`; {LEGAL}")
    };
    Error::new_spanned(name, message)
}

/// Whether `typed` is `legal`, misspelt: in less than half of its letters.
pub(crate) fn is_close(typed: &str, legal: &str) -> bool {
    distance(&typed.to_lowercase(), legal) <= legal.len() / 2
}

/// The least number of letters to insert, delete, replace or swap with their
/// neighbour that makes `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // `rows[i][j]` is the distance of the first `i` letters of `a` from the first
    // `j` of `b`.
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

pub(crate) fn error_at_next(input: ParseStream<'_>, message: impl fmt::Display) -> Error {
    let next = input.fork().parse::<TokenTree>();
    Error::new(
        next.map_or_else(|_| Span::call_site(), |next| next.span()),
        message,
    )
}

/// Skips the value of an argument that is wrong anyway. It is parsed, since the
/// commas of a turbofish end no argument.
fn skip_value(input: ParseStream<'_>) {
    if at_equals(input) && input.parse::<Token![=]>().is_ok() {
        input.parse::<Expr>().ok();
    }
}

pub(crate) fn skip_to_comma(input: ParseStream<'_>) {
    while !at_end(input) && input.parse::<TokenTree>().is_ok() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_are_close() {
        for (typed, legal) in [
            ("kye", "key"),
            ("ky", "key"),
            ("Key", "key"),
            ("lock", "locks"),
            ("lokcs", "locks"),
            ("crat", "crate"),
            ("krate", "crate"),
        ] {
            assert!(is_close(typed, legal), "{typed}");
        }
        for (typed, legal) in [("id", "key"), ("name", "key"), ("timeout", "locks")] {
            assert!(!is_close(typed, legal), "{typed}");
        }
    }

    #[test]
    fn every_mistake_is_reported() {
        let args = quote::quote!(kye = 1, key = 2 3, key = 4, timeout = f::<A, B>(), key = 5, "x",);
        let error = parse(args).err().unwrap();
        let messages: Vec<_> = error.into_iter().map(|error| error.to_string()).collect();
        assert_eq!(messages.len(), 5, "{messages:#?}");
    }
}
