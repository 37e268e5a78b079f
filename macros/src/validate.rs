//! What can't be locked: one function and one message a rule.

use crate::args::Args;
use crate::errors::{all, both};
use crate::item::{Body, Function};
use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Error, GenericArgument, Ident, Path, PathArguments, Result, ReturnType, Type, TypeParamBound,
};

/// Gives what was parsed if no rule is broken, else every error there is.
pub(crate) fn validate(args: Result<Args>, function: Result<Function>) -> Result<(Args, Function)> {
    let rules = all([
        args.as_ref().map_or(Ok(()), space_has_key),
        function.as_ref().map_or(Ok(()), can_be_locked),
    ]);
    both(both(args, function), rules).map(|(parsed, ())| parsed)
}

fn space_has_key(args: &Args) -> Result<()> {
    match args {
        Args {
            key: None,
            locks: Some(space),
            ..
        } => {
            let message = "missing key, expected a text or `key = ..` beside `locks = ..`; for one lock for all callers write `key = \"\"`";
            Err(Error::new_spanned(space, message))
        }
        _ => Ok(()),
    }
}

fn can_be_locked(function: &Function) -> Result<()> {
    all([
        is_not_const(function),
        is_not_variadic(function),
        is_not_naked(function),
        is_annotated_once(function),
        runs_during_the_call(function),
        returns_no_other_future(function),
    ])
}

fn is_not_const(function: &Function) -> Result<()> {
    match &function.sig.constness {
        Some(word) => {
            let message = "a `const fn` cannot be synchronized, since it may run in the compiler; remove `const`";
            Err(Error::new_spanned(word, message))
        }
        None => Ok(()),
    }
}

fn is_not_variadic(function: &Function) -> Result<()> {
    match &function.sig.variadic {
        Some(dots) => {
            let message =
                "a variadic function cannot be synchronized; annotate a function that it calls";
            Err(Error::new_spanned(dots, message))
        }
        None => Ok(()),
    }
}

fn is_not_naked(function: &Function) -> Result<()> {
    let is_naked = |path: &Path| path.is_ident("naked");
    let naked = function.attrs.iter().find(|attr| {
        // `#[unsafe(naked)]`, and `#[naked]` of earlier compilers.
        is_naked(attr.path())
            || attr.path().is_ident("unsafe") && attr.parse_args().is_ok_and(|path| is_naked(&path))
    });
    match naked {
        Some(attr) => {
            let message = "a naked function cannot be synchronized, since its body is assembly alone; annotate a function that calls it";
            Err(Error::new_spanned(attr, message))
        }
        None => Ok(()),
    }
}

fn is_annotated_once(function: &Function) -> Result<()> {
    let again = function.attrs.iter().find(|attr| {
        let name = attr.path().segments.last();
        name.is_some_and(|name| name.ident == "synchronized")
    });
    match again {
        Some(attr) => {
            let message = "duplicate `#[synchronized]`; a function takes one, so move the inner lock into a function of its own";
            Err(Error::new_spanned(attr, message))
        }
        None => Ok(()),
    }
}

/// A future or stream that the call returns would run after the lock is released.
fn runs_during_the_call(function: &Function) -> Result<()> {
    let Function { sig, body, .. } = function;
    let (Body::Block(_), ReturnType::Type(_, output)) = (body, &sig.output) else {
        return Ok(());
    };
    let Some(lazy) = lazy(output) else {
        return Ok(());
    };
    let message = match lazy {
        Lazy::Stream => {
            "the lock would be released before the stream runs; take it where the stream is consumed"
        }
        Lazy::Future if sig.asyncness.is_some() => {
            "the lock would be released before the returned future runs; await it in the function and return its output"
        }
        Lazy::Future => {
            "the lock would be released before the future runs; make it an `async fn`, or end the body in `async move { .. }` or `Box::pin(async move { .. })`"
        }
    };
    Err(Error::new_spanned(output, message))
}

/// Before the `async` block that a body ends in, a `return` would give a future
/// that doesn't lock.
fn returns_no_other_future(function: &Function) -> Result<()> {
    let Body::Future(future) = &function.body else {
        return Ok(());
    };
    match find_return(future.statements.clone()) {
        Some(word) => {
            let message = "this future would run without the lock; return from inside the `async` block that the body ends in";
            Err(Error::new_spanned(word, message))
        }
        None => Ok(()),
    }
}

enum Lazy {
    Future,
    Stream,
}

/// Whether the type shows that it is a future or a stream.
fn lazy(ty: &Type) -> Option<Lazy> {
    let of_bounds = |bounds| Iterator::find_map(&mut IntoIterator::into_iter(bounds), lazy_bound);
    match ty {
        Type::ImplTrait(ty) => of_bounds(&ty.bounds),
        Type::TraitObject(ty) => of_bounds(&ty.bounds),
        Type::Path(ty) => lazy_path(&ty.path),
        Type::Reference(ty) => lazy(&ty.elem),
        Type::Paren(ty) => lazy(&ty.elem),
        Type::Group(ty) => lazy(&ty.elem),
        _ => None,
    }
}

fn lazy_bound(bound: &TypeParamBound) -> Option<Lazy> {
    let TypeParamBound::Trait(bound) = bound else {
        return None;
    };
    match &*bound.path.segments.last()?.ident.to_string() {
        "Future" | "FusedFuture" | "IntoFuture" | "TryFuture" => Some(Lazy::Future),
        "Stream" | "FusedStream" | "TryStream" => Some(Lazy::Stream),
        _ => None,
    }
}

fn lazy_path(path: &Path) -> Option<Lazy> {
    let last = path.segments.last()?;
    match &*last.ident.to_string() {
        "BoxFuture" | "LocalBoxFuture" => Some(Lazy::Future),
        "BoxStream" | "LocalBoxStream" => Some(Lazy::Stream),
        "Pin" | "Box" => match &last.arguments {
            PathArguments::AngleBracketed(pinned) => pinned.args.iter().find_map(|arg| match arg {
                GenericArgument::Type(ty) => lazy(ty),
                _ => None,
            }),
            _ => None,
        },
        _ => None,
    }
}

/// Finds the word `return`, outside `async` blocks, whose own it is.
fn find_return(tokens: TokenStream) -> Option<Ident> {
    let mut in_async = false;
    for token in tokens {
        match token {
            TokenTree::Ident(word) if word == "return" => return Some(word),
            TokenTree::Ident(word) => in_async = word == "async" || in_async && word == "move",
            TokenTree::Group(_) if in_async => in_async = false,
            TokenTree::Group(group) => {
                if let Some(word) = find_return(group.stream()) {
                    return Some(word);
                }
            }
            _ => in_async = false,
        }
    }
    None
}
