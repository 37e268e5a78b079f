//! The grammar of `#[synchronized(..)]`: a text first, then `name = value` and `name`.
//!
//! Each argument is parsed by itself. After an error the parser goes on behind
//! the next comma, so that one build shows every mistake.

use crate::errors::all;
use crate::format;
use crate::spelling::closest;
use crate::timeout::Timeout;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use std::fmt;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Error, Expr, ExprLit, Ident, Lit, LitStr, Path, Result, Token};

/// What stood in the parentheses.
#[derive(Clone, Default)]
pub(crate) struct Args {
    pub(crate) key: Option<Key>,
    pub(crate) locks: Option<Expr>,
    pub(crate) acquire_timeout: Option<Timeout>,
    pub(crate) or_else: Option<Expr>,
    pub(crate) when: Option<Expr>,
    pub(crate) guard: Option<Ident>,
    pub(crate) krate: Option<Path>,
    /// The names, in the order in which they stood there. Those without a value are here
    /// alone.
    pub(crate) names: Vec<Ident>,
}

#[derive(Clone)]
pub(crate) enum Key {
    /// A string literal without braces.
    Text(LitStr),
    /// A string literal with braces, as `format!` takes.
    Format(LitStr),
    Value(Expr),
    /// Several keys.
    All(Expr),
}

/// The arguments that have a name.
const NAMES: [&str; 13] = [
    "key",
    "keys",
    "locks",
    "external",
    "shared",
    "acquire_timeout",
    "nonblocking",
    "or_else",
    "when",
    "guard",
    "reentrant",
    "skip",
    "crate",
];

/// What other libraries' locks are told at this place, and where it is said here.
const ELSEWHERE: [(&str, &str); 6] = [
    (
        "fair",
        "it is the space's: `locks = SPACE`, made by `Locks::new(\"..\").fair()`",
    ),
    (
        "permits",
        "they are the space's: `locks = SPACE`, made by `Locks::new(\"..\").permits(4)`",
    ),
    (
        "lock_path",
        "the directory is the space's: `locks = SPACE`, made by `FileLocks::new(\"..\")`",
    ),
    (
        "lock_file_prefix",
        "it is the space's: `locks = SPACE`, made by `FileLocks::new(\"..\").prefix(\"..\")`",
    ),
    ("name", "write `key = ..`"),
    (
        "timeout",
        "write `acquire_timeout = ..`, which bounds the wait and not the body",
    ),
];

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
            Ok(name) if is_argument(&name) || is_named(input) => {
                input.call(Ident::parse_any)?.unraw()
            }
            _ => return Err(unnamed(input)),
        };
        let text = name.to_string();
        if !NAMES.contains(&&*text) {
            let error = unknown(&name, at_end(input) && self.key.is_none());
            skip_value(input);
            return Err(error);
        }
        if self.names.contains(&name) {
            skip_value(input);
            let message = format!("duplicate argument `{name}`; remove one of them");
            return Err(Error::new_spanned(name, message));
        }
        self.parse_named(input, &name, &text)?;
        self.names.push(name);
        Ok(())
    }

    fn parse_named(&mut self, input: ParseStream<'_>, name: &Ident, text: &str) -> Result<()> {
        let expr = || parse_value(input, name, Expr::parse);
        match text {
            "key" => self.set_key(name, Key::of(expr()?)?)?,
            "keys" => self.set_key(name, Key::of_all(expr()?)?)?,
            "locks" => self.locks = Some(expr()?),
            "acquire_timeout" => self.acquire_timeout = Some(Timeout::of(name, expr()?)?),
            "or_else" => self.or_else = Some(expr()?),
            "when" => self.when = Some(expr()?),
            "guard" => self.guard = Some(parse_value(input, name, parse_guard)?),
            "crate" => self.krate = Some(parse_value(input, name, parse_path)?),
            _ => parse_flag(input, name)?,
        }
        Ok(())
    }

    /// Whether there may be a failure to return. The space's type has the last word.
    pub(crate) fn can_fail(&self) -> bool {
        const FALLIBLE: [&str; 5] = [
            "locks",
            "external",
            "acquire_timeout",
            "nonblocking",
            "or_else",
        ];
        FALLIBLE.iter().any(|name| self.has(name))
    }

    /// Whether they leave a method out of its block's lock.
    pub(crate) fn is_skip(&self) -> bool {
        self.key.is_none() && matches!(&*self.names, [name] if name == "skip")
    }

    /// These arguments, which are a method's, and where they don't say so, the block's word
    /// on where the crate is.
    pub(crate) fn with_crate_of(mut self, block: Option<&Self>) -> Self {
        self.krate = self.krate.or_else(|| block?.krate.clone());
        self
    }

    /// What is evaluated each time the lock is taken.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let timeout = match &self.acquire_timeout {
            Some(Timeout::Value { value, .. }) => Some(value),
            _ => None,
        };
        let key = match &self.key {
            Some(Key::Value(key) | Key::All(key)) => Some(key),
            _ => None,
        };
        let all = [self.when.as_ref(), timeout, self.locks.as_ref(), key];
        all.into_iter().flatten()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.named(name).is_some()
    }

    /// The argument's name, if it stood there.
    pub(crate) fn named(&self, name: &str) -> Option<&Ident> {
        self.names.iter().find(|ident| *ident == name)
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

    /// Where both `key` and `keys` are there, the names tell.
    fn set_key(&mut self, name: &Ident, key: Key) -> Result<()> {
        let is_named = self.names.iter().any(|name| name == "key");
        match &self.key {
            Some(Key::Text(text) | Key::Format(text)) if !is_named => {
                let text = text.token();
                let message = format!(
                    "the text {text} is the key already; remove the text, or remove `{name} = ..`"
                );
                return Err(Error::new_spanned(name, message));
            }
            _ => {}
        }
        self.key = Some(key);
        Ok(())
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
            Expr::Array(_) => Err(Error::new_spanned(
                value,
                "a list is no key; several keys are `keys = [..]`, and a key of several parts is `key = (..)`",
            )),
            value => format::expect_none_inside(&value).map(|()| Self::Value(value)),
        }
    }

    fn of_text(text: LitStr) -> Result<Self> {
        format::expect_names(&text)?;
        Ok(if text.value().contains(['{', '}']) {
            Self::Format(text)
        } else {
            Self::Text(text)
        })
    }

    fn of_all(values: Expr) -> Result<Self> {
        if let Expr::Tuple(_) = values {
            let message = "a tuple is one key; several keys are `keys = [..]`";
            return Err(Error::new_spanned(values, message));
        }
        format::expect_none_inside(&values).map(|()| Self::All(values))
    }
}

/// Parses nothing, up to the comma.
fn parse_flag(input: ParseStream<'_>, name: &Ident) -> Result<()> {
    if at_equals(input) {
        let equals: Token![=] = input.parse()?;
        let value = input.parse::<Expr>().ok();
        return Err(Error::new_spanned(
            quote!(#equals #value),
            format!("argument `{name}` takes no value; write `{name}`, or leave it out"),
        ));
    }
    expect_end(&format!("`{name}`"), input)
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

fn parse_guard(input: ParseStream<'_>) -> Result<Ident> {
    let place = input.fork();
    let named = input.parse::<Ident>();
    named.map_err(|_| {
        error_at_next(
            &place,
            "expected a name for the guard, such as `guard = guard`",
        )
    })
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
    NAMES.iter().any(|legal| name == legal)
}

/// The error for what is neither a text nor has a name.
fn unnamed(input: ParseStream<'_>) -> Error {
    if input.peek(Token![,]) {
        return error_at_next(input, "expected an argument before `,`");
    }
    let message =
        "expected an argument; a key that is not a string literal needs its name, as in `key = ..`";
    match input.fork().parse::<Expr>() {
        Ok(value) => Error::new_spanned(value, message),
        Err(_) => error_at_next(input, message),
    }
}

/// The error for a name that is no argument's. Alone, where there is no key, it may be
/// meant as that.
fn unknown(name: &Ident, alone: bool) -> Error {
    let text = name.unraw().to_string();
    if let Some((_, remedy)) = ELSEWHERE.iter().find(|(word, _)| *word == text) {
        return Error::new_spanned(name, format!("unknown argument `{text}`; {remedy}"));
    }
    let meant = closest(&text, &NAMES).map(|close| format!("did you mean `{close}`?"));
    let key = alone.then(|| format!("to lock on its value write `key = {name}`"));
    let remedy = match (meant, key) {
        (Some(meant), Some(key)) => format!("{meant} {key}"),
        (Some(remedy), None) | (None, Some(remedy)) => remedy,
        (None, None) => format!("the arguments are {}", legal()),
    };
    Error::new_spanned(name, format!("unknown argument `{text}`; {remedy}"))
}

/// The names, as a list for people.
fn legal() -> String {
    let [first @ .., last] = NAMES.map(|name| format!("`{name}`"));
    format!("{} and {last}", first.join(", "))
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
    fn every_mistake_is_reported() {
        let args = quote::quote!(kye = 1, key = 2 3, key = 4, timeout = f::<A, B>(), key = 5, "x",);
        let error = parse(args).err().unwrap();
        let messages: Vec<_> = error.into_iter().map(|error| error.to_string()).collect();
        assert_eq!(messages.len(), 5, "{messages:#?}");
    }
}
