//! Keys that are format strings, such as `"vm-{id}"`.
//!
//! The compiler reads them, and its errors point inside the literal. What is refused here
//! is what the compiler would accept, or suggest, with arguments behind the string, which
//! a key has none of; and a literal that would not be a format string where it stands.

use crate::span::mixed;
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;
use syn::{Error, Expr, ExprLit, Ident, Lit, LitStr, Result};

/// Refuses a literal with anything but names in its braces: those of `what`. `key` is what stands before
/// a key that is no literal.
pub(crate) fn expect_names(text: &LitStr, what: &str, key: &str) -> Result<()> {
    let value = text.value();
    let others: Vec<_> = captures(&value).filter(|text| !is_name(text)).collect();
    let Some(first) = others.first() else {
        return Ok(());
    };
    let remedy = if others.iter().all(|text| is_expression(text)) {
        // In what follows the string, where the compiler takes any expression.
        let emptied = others.iter().fold(value.clone(), |value, other| {
            value.replacen(&format!("{{{other}"), "{", 1)
        });
        format!("`{key}format_args!({emptied:?}, {})`", others.join(", "))
    } else {
        format!("the name of {what} there, or `{key}format_args!(\"..\", value)`")
    };
    let message = format!("expected a name in `{{{first}}}`; write {remedy}");
    Err(Error::new_spanned(text, message))
}

/// Refuses a literal with names in its braces inside of a tuple or a list, where it is a
/// text as any other.
pub(crate) fn expect_none_inside(value: &Expr) -> Result<()> {
    let parts = match value {
        Expr::Tuple(tuple) => &tuple.elems,
        Expr::Array(array) => &array.elems,
        Expr::Reference(value) => return expect_none_inside(&value.expr),
        Expr::Paren(value) => return expect_none_inside(&value.expr),
        Expr::Group(value) => return expect_none_inside(&value.expr),
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => return expect_text(text),
        _ => return Ok(()),
    };
    parts.iter().try_for_each(expect_none_inside)
}

fn expect_text(text: &LitStr) -> Result<()> {
    let value = text.value();
    let mut captures = captures(&value).peekable();
    if captures.peek().is_none() || !captures.all(is_name) {
        return Ok(());
    }
    let literal = text.token();
    let message = format!(
        "only a key that is a literal alone is a format string, and here the braces would be part of the text; write `format_args!({literal})`"
    );
    Err(Error::new_spanned(text, message))
}

/// The names in its braces.
pub(crate) fn names(text: &LitStr) -> Vec<Ident> {
    let value = text.value();
    captures(&value).filter_map(name).collect()
}

/// A keyword stands for the raw identifier, as in `{type}`, unless it can't be one.
fn name(text: &str) -> Option<Ident> {
    let name = Ident::parse_any.parse_str(text).ok()?;
    let is_path = ["self", "Self", "super", "crate", "_"].contains(&text);
    // One since the edition of 2024, which `syn` doesn't look at.
    let is_keyword = text == "gen" || syn::parse_str::<Ident>(text).is_err();
    Some(if is_keyword && !is_path {
        Ident::new_raw(text, name.span())
    } else {
        name
    })
}

/// The string as the runtime takes it, in pieces, where it captures nothing but arguments, and
/// each as it is, without what may stand behind a `:`. `private` is the runtime's module. The whole
/// of it goes along, since of what isn't a plain value only `fmt` knows the text, and for the compiler's errors; not
/// where all of them are `shown`, see [`names::shown`](crate::names::shown), since it takes the compiler longer than
/// all the rest.
pub(crate) fn in_pieces(
    text: &LitStr,
    arguments: &[Ident],
    shown: &[Ident],
    private: &TokenStream,
) -> Option<TokenStream> {
    let are_shown = names(text).iter().all(|name| shown.contains(name));
    let value = text.value();
    let literal = |text: &str| (!text.is_empty()).then(|| quote_spanned!(mixed()=> #text));
    let piece = if are_shown {
        "lockutils_lone_piece"
    } else {
        "lockutils_piece"
    };
    let piece = Ident::new(piece, mixed());
    let mut pieces = Vec::new();
    let mut rest = &*value;
    while let Some((before, opened)) = rest.split_once('{') {
        let (capture, after) = opened.split_once('}')?;
        if before.contains('}') {
            return None;
        }
        let argument = arguments.iter().find(|name| name.unraw() == capture)?;
        let argument = at(argument, text.span());
        pieces.extend(literal(before));
        pieces.push(quote_spanned!(mixed()=> #private::Captured::new(&#argument).#piece()));
        rest = after;
    }
    // One that closes nothing is an error of the compiler's, and two of them are one in the text.
    if rest.contains('}') {
        return None;
    }
    pieces.extend(literal(rest));
    let pieces = pieces
        .into_iter()
        .reduce(|before, piece| quote_spanned!(mixed()=> (#before, #piece)));
    let pieces = pieces?;
    if are_shown {
        return Some(quote_spanned!(mixed()=> #private::PiecedFormat(#pieces)));
    }
    let whole = whole(text);
    Some(quote_spanned!(mixed()=> #private::Format::new(#pieces, #whole)))
}

/// The string for `fmt`.
pub(crate) fn whole(text: &LitStr) -> TokenStream {
    let at = mixed().located_at(text.span());
    quote_spanned!(at=> ::core::format_args!(#text))
}

/// The format string with the values of these names beside it, at another place.
pub(crate) fn with_values_at(text: &LitStr, names: &[&Ident], span: Span) -> Expr {
    let values = names.iter().map(|name| at(name, span));
    Expr::Verbatim(quote_spanned!(mixed()=> ::core::format_args!(#text #(, #names = #values)*)))
}

/// The name at another place.
fn at(name: &Ident, span: Span) -> Ident {
    let mut name = name.clone();
    name.set_span(span);
    name
}

/// What stands in the braces of a format string, before its `:`.
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

/// An expression that isn't only a number, which would be the place of an argument.
fn is_expression(text: &str) -> bool {
    !matches!(syn::parse_str(text), Err(_) | Ok(Expr::Lit(_)))
}

fn is_name(text: &str) -> bool {
    Ident::parse_any.parse_str(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::in_pieces;
    use proc_macro2::Span;
    use quote::{format_ident, quote};
    use syn::LitStr;

    #[test]
    fn braces_that_capture_nothing_are_left_to_the_compiler() {
        let names = [format_ident!("id")];
        let is_in_pieces = |text| {
            let text = LitStr::new(text, Span::call_site());
            in_pieces(&text, &names, &names, &quote!(private)).is_some()
        };
        assert!(is_in_pieces("vm-{id}") && is_in_pieces("{id}-{id}"));
        for text in [
            "vm}", "vm}{id}", "{id}}", "{id} }", "{{id}", "{{{id}", "{id", "{}", "{id}{",
        ] {
            assert!(!is_in_pieces(text), "{text}");
        }
    }
}
