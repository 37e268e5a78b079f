//! The names that an expression takes from where it stands, as far as words tell.

use crate::function::Function;
use crate::span::grouped;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, FnArg, Pat, PatIdent, PatType, Type};

/// The words of the expression that are values of its place: no field's name nor method's, no
/// path's and no function's. One with names of its own, as a closure has, isn't looked into.
pub(crate) fn free(value: &Expr) -> Vec<Ident> {
    let tokens = value.to_token_stream();
    let words = words(tokens.clone());
    let binds = tokens.to_string().contains('|')
        || words
            .iter()
            .any(|word| word == "let" || word == "match" || word == "for");
    if binds { Vec::new() } else { words }
}

/// Those that the value is, or is made of by nothing but references, fields and lists. A
/// function of this name would be no such value, as it would where it is an argument.
pub(crate) fn plain(value: &Expr) -> Vec<Ident> {
    let parts = match value {
        Expr::Path(path) => return path.path.get_ident().cloned().into_iter().collect(),
        Expr::Reference(value) => return plain(&value.expr),
        Expr::Paren(value) => return plain(&value.expr),
        Expr::Group(value) => return plain(&value.expr),
        Expr::Field(field) => return plain(&field.base),
        Expr::Tuple(tuple) => &tuple.elems,
        Expr::Array(array) => &array.elems,
        _ => return Vec::new(),
    };
    parts.iter().flat_map(plain).collect()
}

/// The names in its patterns, and those of its constants' parameters.
pub(crate) fn parameters(function: &Function) -> Vec<Ident> {
    let constants = function.sig.generics.const_params();
    let mut names: Vec<_> = constants.map(|constant| constant.ident.clone()).collect();
    names.extend(typed(function).flat_map(|argument| words(argument.pat.to_token_stream())));
    names
}

/// The names in its patterns that can't be a constant's nor a `static`'s, since an argument of
/// the name of one doesn't compile. A unit struct is one, and the type of its pattern.
pub(crate) fn bound(function: &Function) -> Vec<Ident> {
    let arguments = typed(function).flat_map(|argument| {
        let types = words(argument.ty.to_token_stream());
        let names = words(argument.pat.to_token_stream());
        names.into_iter().filter(move |name| !types.contains(name))
    });
    arguments.collect()
}

/// Those of its arguments and constants whose types are of the language and have one text, as far as
/// words tell: integers, `char`, `bool`, `str`, and references to them. A type of the user's may be called so, too.
pub(crate) fn shown(function: &Function) -> Vec<Ident> {
    let constants = function.sig.generics.const_params();
    let mut names: Vec<_> = constants.map(|constant| constant.ident.clone()).collect();
    names.extend(typed(function).filter_map(|argument| match &*argument.pat {
        Pat::Ident(PatIdent {
            by_ref: None,
            subpat: None,
            ident,
            ..
        }) if is_shown(&argument.ty) => Some(ident.clone()),
        _ => None,
    }));
    names
}

fn is_shown(ty: &Type) -> bool {
    const SHOWN: [&str; 15] = [
        "str", "char", "bool", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32",
        "i64", "i128", "isize",
    ];
    match ty {
        Type::Reference(reference) => is_shown(&reference.elem),
        Type::Path(path) => {
            SHOWN.iter().any(|name| path.path.is_ident(name)) && path.qself.is_none()
        }
        _ => false,
    }
}

fn typed(function: &Function) -> impl Iterator<Item = &PatType> {
    function
        .sig
        .inputs
        .iter()
        .filter_map(|argument| match argument {
            FnArg::Typed(argument) => Some(argument),
            FnArg::Receiver(_) => None,
        })
}

/// The expression, with the spans of these names changed to `span`.
pub(crate) fn moved(value: &Expr, names: &[Ident], span: Span) -> Expr {
    let tokens = map_words(value.to_token_stream(), &mut |mut name| {
        if names.contains(&name) {
            name.set_span(span);
        }
        name
    });
    // It was an expression before.
    syn::parse2(tokens).unwrap_or_else(|_| value.clone())
}

fn words(tokens: TokenStream) -> Vec<Ident> {
    let mut names = Vec::new();
    map_words(tokens, &mut |name| {
        names.push(name.clone());
        name
    });
    names
}

/// Maps all words, but those that a `.`, `::` or `!` makes something else, and those that are
/// called.
fn map_words(tokens: TokenStream, map: &mut dyn FnMut(Ident) -> Ident) -> TokenStream {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let is_one_of = |token: Option<&TokenTree>, characters: &str| match token {
        Some(TokenTree::Punct(punct)) => characters.contains(punct.as_char()),
        _ => false,
    };
    let mut mapped = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|before| tokens.get(before));
        let after = tokens.get(place + 1);
        mapped.push(match token {
            TokenTree::Group(group) => {
                let inside = map_words(group.stream(), map);
                grouped(group.delimiter(), group.span(), inside).into()
            }
            TokenTree::Ident(name) => {
                let is_called = matches!(after, Some(TokenTree::Group(_)));
                let is_value = !(is_called || is_one_of(before, ".:'") || is_one_of(after, ":!"));
                let name = name.clone();
                if is_value { map(name) } else { name }.into()
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => token.clone(),
        });
    }
    mapped.into_iter().collect()
}
