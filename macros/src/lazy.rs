//! Return types that show a future or a stream, which would run after the lock is released.
//!
//! They are looked for in all of the type: in the arguments of generic types, in tuples,
//! references and arrays, and in what a trait's associated types are. Not in a function's
//! types, since to return a function that makes a future is something else.
//!
//! What `impl` or `dyn` stands before is one if the trait has the name of one, and for a
//! `dyn` and a stream its associated types, which a trait of the user's own that is called
//! `Stream` has not. Where a type has the name of one, the name proves nothing. It is then
//! the compiler that is asked, in the expansion, whether it is one.

use crate::function::Function;
use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::{
    AngleBracketedGenericArguments, AssocType, GenericArgument, Path, PathArguments, ReturnType,
    Token, Type, TypeParamBound,
};

/// A part of a return type that shows what the call doesn't do.
pub(crate) struct Lazy<'a> {
    pub(crate) ty: &'a Type,
    pub(crate) kind: Kind,
    /// What the future gives, where the type shows it.
    pub(crate) output: Option<&'a Type>,
    /// Whether only a type's name says so.
    pub(crate) is_named: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Future,
    Stream,
}

/// All that a function's return type shows, without the future that takes the lock.
pub(crate) fn lazy(function: &Function) -> Vec<Lazy<'_>> {
    let mut found = Vec::new();
    if let ReturnType::Type(_, output) = &function.sig.output {
        find(output, &mut found);
    }
    if own(function, &found).is_some() {
        found.remove(0);
    }
    found
}

/// What the future that takes the lock gives, where the return type shows it.
pub(crate) fn output(function: &Function) -> Option<&Type> {
    let mut found = Vec::new();
    if let ReturnType::Type(_, output) = &function.sig.output {
        find(output, &mut found);
    }
    own(function, &found)?.output
}

/// The future that takes the lock is around all others.
fn own<'a, 'b>(function: &Function, found: &'b [Lazy<'a>]) -> Option<&'b Lazy<'a>> {
    let first = found.first().filter(|first| first.kind == Kind::Future);
    first.filter(|_| function.future.is_some())
}

fn find<'a>(ty: &'a Type, found: &mut Vec<Lazy<'a>>) {
    match ty {
        Type::ImplTrait(inside) => find_bound(ty, &inside.bounds, false, found),
        Type::TraitObject(inside) => find_bound(ty, &inside.bounds, true, found),
        Type::Path(inside) => {
            found.extend(named(ty, &inside.path));
            find_inside(&inside.path, found);
        }
        Type::Tuple(inside) => inside.elems.iter().for_each(|ty| find(ty, found)),
        Type::Reference(inside) => find(&inside.elem, found),
        Type::Array(inside) => find(&inside.elem, found),
        Type::Slice(inside) => find(&inside.elem, found),
        Type::Paren(inside) => find(&inside.elem, found),
        Type::Group(inside) => find(&inside.elem, found),
        _ => {}
    }
}

fn find_bound<'a>(
    ty: &'a Type,
    bounds: &'a Punctuated<TypeParamBound, Token![+]>,
    is_dyn: bool,
    found: &mut Vec<Lazy<'a>>,
) {
    for bound in bounds {
        let TypeParamBound::Trait(bound) = bound else {
            continue;
        };
        let is_bare = associated(&bound.path).next().is_none();
        let kind = match last_name(&bound.path).as_str() {
            "Future" | "FusedFuture" | "IntoFuture" | "TryFuture" if !(is_dyn && is_bare) => {
                Some(Kind::Future)
            }
            "Stream" | "FusedStream" | "TryStream" | "AsyncIterator" if !is_bare => {
                Some(Kind::Stream)
            }
            _ => None,
        };
        let output = associated(&bound.path).find(|ty| ty.ident == "Output");
        found.extend(kind.map(|kind| Lazy {
            ty,
            kind,
            output: output.map(|output| &output.ty),
            is_named: false,
        }));
        find_inside(&bound.path, found);
    }
}

fn named<'a>(ty: &'a Type, path: &'a Path) -> Option<Lazy<'a>> {
    let kind = match last_name(path).as_str() {
        // `Self::Future` of a trait such as tower's `Service` is one of them.
        "Future" | "IntoFuture" | "BoxFuture" | "LocalBoxFuture" => Kind::Future,
        "Stream" | "BoxStream" | "LocalBoxStream" => Kind::Stream,
        _ => return None,
    };
    let output = arguments(path).find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some(Lazy {
        ty,
        kind,
        output,
        // With an `impl` inside, it can't be written down in the expansion.
        is_named: !mentions_impl(ty),
    })
}

pub(crate) fn mentions_impl(ty: &Type) -> bool {
    let tokens = ty.to_token_stream().to_string();
    tokens.split_whitespace().any(|word| word == "impl")
}

fn find_inside<'a>(path: &'a Path, found: &mut Vec<Lazy<'a>>) {
    for argument in arguments(path) {
        match argument {
            GenericArgument::Type(ty) => find(ty, found),
            GenericArgument::AssocType(associated) => find(&associated.ty, found),
            _ => {}
        }
    }
}

fn last_name(path: &Path) -> String {
    let last = path.segments.last();
    last.map_or_else(String::new, |last| last.ident.to_string())
}

fn associated(path: &Path) -> impl Iterator<Item = &AssocType> {
    arguments(path).filter_map(|argument| match argument {
        GenericArgument::AssocType(associated) => Some(associated),
        _ => None,
    })
}

/// What stands in the path's `<..>`. The `(..)` of `Fn(..)` is something else.
fn arguments(path: &Path) -> impl Iterator<Item = &GenericArgument> {
    let segments = path.segments.iter();
    segments.flat_map(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(AngleBracketedGenericArguments { args, .. }) => {
            Some(args).into_iter().flatten()
        }
        _ => None.into_iter().flatten(),
    })
}
