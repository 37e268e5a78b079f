//! The grammar of `#[synchronized(..)]`: a text first, then `name = value` and `name`.
//!
//! Each argument is parsed by itself. After an error the parser goes on behind
//! the next comma, so that one build shows every mistake.

use crate::errors::all;
use crate::format;
use crate::legal::{ELSEWHERE, EXCLUSIVE, NAMES};
use crate::names;
use crate::spelling::closest;
use crate::timeout::Timeout;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use std::fmt;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::{Attribute, Error, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Result, Token};

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

/// Parses what stood in the parentheses.
pub(crate) fn parse(args: TokenStream) -> Result<Args> {
    parse_all.parse2(args)
}

/// Parses what stands in those of an attribute.
pub(crate) fn of_attribute(attr: &Attribute) -> Result<Args> {
    match &attr.meta {
        Meta::Path(_) => Ok(Args::default()),
        Meta::List(list) => parse(list.tokens.clone()),
        Meta::NameValue(meta) => {
            let message =
                "expected `#[synchronized(..)]`; the arguments stand in parentheses, without `=`";
            Err(Error::new_spanned(meta, message))
        }
    }
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
            _ => return Err(self.unnamed(input)),
        };
        let text = name.to_string();
        if !NAMES.contains(&&*text) {
            let error = self.unknown(&name, at_end(input));
            skip_value(input);
            return Err(error);
        }
        if self.names.contains(&name) {
            let value = skip_value(input);
            let remedy = match value {
                Some(value) if text == "key" => self.several(&value),
                _ => None,
            };
            let remedy = remedy.unwrap_or_else(|| "remove one of them".into());
            let message = format!("duplicate argument `{name}`; {remedy}");
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
            "or_else" => self.or_else = Some(expect_called(expr()?)?),
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

    /// The names that the key's expression, or another one, takes from where it stands: those
    /// that are found by `names_of` it.
    pub(crate) fn names_of_values(&self, names_of: fn(&Expr) -> Vec<Ident>) -> Vec<Ident> {
        let key = self.key.as_ref().map(|key| match key {
            Key::Text(_) => Vec::new(),
            Key::Format(text) => format::names(text),
            Key::Value(value) | Key::All(value) => names_of(value),
        });
        let others = [&self.locks, &self.when].into_iter().flatten();
        let others = others.map(names_of);
        key.into_iter().chain(others).flatten().collect()
    }

    /// The same arguments, with these of the [names](Self::names_of_values) at another place.
    pub(crate) fn with_names_at(&self, names: &[Ident], span: Span) -> Self {
        let mut args = self.clone();
        let moved = |value: &mut Expr| *value = names::moved(value, names, span);
        match &mut args.key {
            Some(Key::Format(text)) => {
                let text_names = format::names(text);
                let moved = text_names.iter().filter(|name| names.contains(name));
                let moved: Vec<_> = moved.collect();
                if !moved.is_empty() {
                    args.key = Some(Key::Value(format::with_values_at(text, &moved, span)));
                }
            }
            Some(Key::Value(value) | Key::All(value)) => moved(value),
            Some(Key::Text(_)) | None => {}
        }
        [&mut args.locks, &mut args.when]
            .into_iter()
            .flatten()
            .for_each(moved);
        args
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.named(name).is_some()
    }

    /// The argument's name, if it stood there.
    pub(crate) fn named(&self, name: &str) -> Option<&Ident> {
        self.names.iter().find(|ident| *ident == name)
    }

    /// The error for what is neither a text nor has a name.
    fn unnamed(&self, input: ParseStream<'_>) -> Error {
        if input.peek(Token![,]) {
            return error_at_next(input, "expected an argument before `,`");
        }
        let expected = |key: &str| {
            format!(
                "expected an argument; a key that is not a string literal needs its name, as in `key = {key}`"
            )
        };
        match input.fork().parse::<Expr>() {
            Ok(value) => {
                let message = match self.several(&value) {
                    Some(remedy) => format!("there is a key already; {remedy}"),
                    // Not every literal may be a key.
                    None if matches!(value, Expr::Lit(_)) => expected(".."),
                    None => expected(&shown(&value)),
                };
                Error::new_spanned(value, message)
            }
            Err(_) => error_at_next(input, expected("..")),
        }
    }

    /// The error for a name that is no argument's. Alone, it may be meant as a key.
    fn unknown(&self, name: &Ident, is_alone: bool) -> Error {
        let text = name.unraw().to_string();
        if let Some((_, remedy)) = ELSEWHERE.iter().find(|(words, _)| words.contains(&&*text)) {
            return Error::new_spanned(name, format!("unknown argument `{text}`; {remedy}"));
        }
        let legal = self.still_legal();
        let meant = closest(&text, &legal).map(|close| format!("did you mean `{close}`?"));
        let key = is_alone.then(|| match &self.key {
            None => Some(format!("to lock on its value write `key = {name}`")),
            Some(_) => self.several(name),
        });
        let remedy = match (meant, key.flatten()) {
            (Some(meant), Some(key)) if self.key.is_none() => format!("{meant} {key}"),
            (Some(remedy), _) | (None, Some(remedy)) => remedy,
            (None, None) => format!("the arguments are {}", list(&legal)),
        };
        Error::new_spanned(name, format!("unknown argument `{text}`; {remedy}"))
    }

    /// The arguments that may follow: neither those that are there, nor what excludes them.
    fn still_legal(&self) -> Vec<&'static str> {
        let is_alone = self.names.is_empty() && self.key.is_none();
        let is_legal = |name: &&str| {
            let excluded = EXCLUSIVE.iter().any(|(one, other, _)| {
                *one == *name && self.has(other) || *other == *name && self.has(one)
            });
            let is_second_key = name.starts_with("key") && self.key.is_some();
            !(excluded || is_second_key || self.has(name) || *name == "skip" && !is_alone)
        };
        NAMES.into_iter().filter(is_legal).collect()
    }

    /// How to write the key that is there and one more.
    fn several(&self, more: &impl ToTokens) -> Option<String> {
        let more = shown(more);
        let first = match self.key.as_ref()? {
            Key::All(Expr::Array(list)) => {
                let keys = list.elems.iter().map(shown).chain([more]);
                let keys: Vec<_> = keys.collect();
                return Some(format!("several keys are `keys = [{}]`", keys.join(", ")));
            }
            Key::All(_) => return None,
            Key::Value(value) => shown(value),
            Key::Text(text) => shown(text),
            Key::Format(text) => format!("format_args!({})", shown(text)),
        };
        let parts = format!("a key of several parts is `key = ({first}, {more})`");
        Some(if self.has("reentrant") {
            parts
        } else {
            format!("several keys are `keys = [{first}, {more}]`, and {parts}")
        })
    }

    fn parse_text(&mut self, input: ParseStream<'_>, is_first: bool) -> Result<()> {
        let text: LitStr = input.parse()?;
        expect_end("the text", input)?;
        if is_first {
            self.key = Some(Key::of_text(text)?);
            return Ok(());
        }
        let message = match self.several(&text) {
            Some(remedy) => format!("there is a key already; {remedy}"),
            None => "a text without a name must be the first argument; move it there, or write `key = ..`".into(),
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
        format::expect_names(&text, "an argument", "key = ")?;
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
        if matches!(&values, Expr::Array(list) if list.elems.is_empty()) {
            let message = "an empty list locks nothing; name the keys, `keys = [a, b]`";
            return Err(Error::new_spanned(values, message));
        }
        format::expect_none_inside(&values).map(|()| Self::All(values))
    }
}

/// Refuses what doesn't come to a value, of which the compiler says less.
fn expect_called(value: Expr) -> Result<Expr> {
    const DIVERGING: [&str; 4] = ["panic", "todo", "unimplemented", "unreachable"];
    let leaves = match &value {
        Expr::Return(_) => true,
        Expr::Macro(call) => DIVERGING.iter().any(|name| call.mac.path.is_ident(name)),
        _ => false,
    };
    if leaves {
        let message = "`or_else` is called with the error, and what it gives is returned; write a closure, `or_else = |error| ..`";
        return Err(Error::new_spanned(value, message));
    }
    Ok(value)
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

/// The names, as a list for people.
fn list(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match &*quoted {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => quoted.concat(),
    }
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
fn skip_value(input: ParseStream<'_>) -> Option<Expr> {
    if !at_equals(input) {
        return None;
    }
    input.parse::<Token![=]>().ok()?;
    input.parse().ok()
}

/// The expression as people write it.
fn shown(value: &impl ToTokens) -> String {
    let text = value.to_token_stream().to_string();
    let tight = [" . ", " :: ", "& "]
        .iter()
        .fold(text, |text, spaced| text.replace(spaced, spaced.trim()));
    tight
        .replace(" (", "(")
        .replace("( ", "(")
        .replace(" )", ")")
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
