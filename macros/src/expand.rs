//! Writes the function down again, with the lock around its body:
//!
//! ```text
//! let __begun = lockutils::__private::Space::begin(SPACE, &(KEY), SITE);
//! let Ok(__guard) = lockutils::__private::finish(__begun);
//! { ({ BODY }) }
//! ```
//!
//! - The body stays where it is, not in a closure, so that `return`, `?`, borrows,
//!   coercions and `!` are the compiler's own. It isn't the arm of a `match`
//!   either, through which `-> impl Fn(&str) -> &str` doesn't reach a closure.
//! - The inner braces are of this crate, so they follow its edition, 2024: what is
//!   temporary in the body's last expression drops at the brace, before the guard,
//!   whatever the edition of the user.
//! - The parentheses keep the user's braces from looking needless to a lint.
//! - The key is evaluated in a statement before the one that waits, so that nothing of
//!   its expression is held while it does, nor lives across an `.await`.
//! - Names have mixed-site hygiene: user code can neither see nor shadow them.
//! - What the user wrote keeps its span; around it the new tokens have spans that
//!   let the compiler underline exactly the key, the space or the return type.

use crate::args::{Args, Key};
use crate::future::{Future, Lazy, Pin, lazy};
use crate::item::Function;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{Error, ReturnType};

/// The function with its lock.
pub(crate) fn expand(args: &Args, function: &Function) -> TokenStream {
    let lock = lock(args, function);
    match &function.future {
        Some(future) => with_body(function, &expand_future(future, &lock)),
        None => with_body(function, &locked(&lock, &function.body)),
    }
}

/// The function without a lock, and what is wrong with it. That stands inside the
/// body, where it keeps the compiler from warning of arguments that only the key
/// reads.
pub(crate) fn refuse(function: &Function, error: &Error) -> TokenStream {
    let error = error.to_compile_error();
    let body = function.body.stream();
    with_body(function, &quote!(#error #body))
}

fn with_body(function: &Function, body: &TokenStream) -> TokenStream {
    let Function {
        head, inner_attrs, ..
    } = function;
    let span = function.body.span();
    let body = grouped(Delimiter::Brace, span, quote!(#inner_attrs #body));
    quote!(#head #body)
}

fn expand_future(future: &Future, lock: &TokenStream) -> TokenStream {
    let Future {
        statements,
        pin,
        async_token,
        block,
    } = future;
    // With `move` also where the user wrote none: the key may read arguments that
    // the block didn't, and a block that is returned can't borrow them.
    let head = quote_spanned!(async_token.span()=> #async_token move);
    let block = grouped(Delimiter::Brace, block.span(), locked(lock, block));
    let mut future = quote!(#head #block);
    if let Some(Pin { path, span }) = pin {
        let argument = grouped(Delimiter::Parenthesis, *span, future);
        future = quote!(#path #argument);
    }
    quote!(#statements #future)
}

/// `block` under the lock.
fn locked(lock: &TokenStream, block: &Group) -> TokenStream {
    quote_spanned!(mixed()=> #lock { (#block) })
}

/// The statements that take the lock.
fn lock(args: &Args, function: &Function) -> TokenStream {
    let is_async = function.sig.asyncness.is_some() || function.future.is_some();
    let name = function.sig.ident.unraw().to_string();
    // The calls stand where the user's space does, so that one that is no space is
    // reported there, and once.
    let (first, last) = args.locks.as_ref().map_or((mixed(), mixed()), ends);
    let private = private(args, first);
    let key = key(args.key.as_ref());
    let space = match &args.locks {
        Some(space) => reference(space),
        None => own_or_global(args, &private, &name),
    };
    let method = if is_async { "begin_async" } else { "begin" };
    let method = Ident::new(method, last);
    let site = quote_spanned!(last=> #private::site(const { &#private::Function::new(#name) }));
    let begin = quote_spanned!(last=> #private::Space::#method(#space, #key, #private::Terms::EXCLUSIVE, #site));
    let finish = if is_async {
        quote_spanned!(mixed()=> __begun.await)
    } else {
        let local = if args.locks.is_some() {
            spread("__begun", (first, last))
        } else {
            quote_spanned!(mixed()=> __begun)
        };
        quote_spanned!(last=> #private::finish(#local))
    };
    let guard = if args.locks.is_some() {
        let give_up = give_up(args, function);
        quote_spanned! {mixed()=>
            let __guard = match #finish {
                ::core::result::Result::Ok(__guard) => __guard,
                ::core::result::Result::Err(__failure) => { #give_up }
            };
        }
    } else {
        // The failure has no value, so there is nothing else to match.
        quote_spanned!(mixed()=> let ::core::result::Result::Ok(__guard) = #finish;)
    };
    quote_spanned! {mixed()=>
        let __begun = #begin;
        #guard
    }
}

/// A reference to the key.
fn key(key: Option<&Key>) -> TokenStream {
    match key {
        None => quote_spanned!(mixed()=> &""),
        Some(Key::Text(text)) => reference(text),
        Some(Key::Format(text)) => {
            let at = mixed().located_at(text.span());
            reference(&quote_spanned!(at=> ::core::format_args!(#text)))
        }
        Some(Key::Value(value)) => reference(value),
    }
}

/// The space of a function that names none.
fn own_or_global(args: &Args, private: &TokenStream, name: &str) -> TokenStream {
    if args.key.is_some() {
        return quote_spanned!(mixed()=> #private::global());
    }
    let path = format!("::{name}");
    // In a block of its own, where the user's code can't see it.
    quote_spanned! {mixed()=>
        {
            static OWN: #private::Locks = #private::Locks::new(
                ::core::concat!(::core::module_path!(), #path),
            );
            &OWN
        }
    }
}

/// Returns the failure, with the span of the return type, since that is what has
/// to have a place for it.
fn give_up(args: &Args, function: &Function) -> TokenStream {
    let place = match &function.sig.output {
        ReturnType::Default => function.sig.ident.to_token_stream(),
        ReturnType::Type(_, ty) => match (&function.future, lazy(ty)) {
            (Some(_), Some(Lazy::Future(Some(output)))) => output.to_token_stream(),
            _ => ty.to_token_stream(),
        },
    };
    let (first, last) = ends(&place);
    let private = private(args, first);
    let failure = spread("__failure", (first, last));
    quote_spanned!(last=> return #private::FromFailure::from_failure(#failure))
}

/// `&(EXPR)`. Whatever the expression is, parentheses keep it together; and since
/// `&` has the span of its first token and `()` of its last, the compiler's
/// messages underline the whole of it.
fn reference(expression: &impl ToTokens) -> TokenStream {
    let (first, last) = ends(expression);
    let expression = grouped(Delimiter::Parenthesis, last, expression.to_token_stream());
    quote_spanned!(first=> &#expression)
}

/// The local, as an argument that the compiler underlines from end to end, as it
/// can't do with a single word.
fn spread(local: &str, (first, last): (Span, Span)) -> TokenStream {
    let identity = quote_spanned!(first=> ::core::convert::identity);
    let local = Ident::new(local, last);
    quote_spanned!(last=> #identity(#local))
}

/// The module of the runtime that is for expanded code. The user's own path keeps
/// its place.
fn private(args: &Args, place: Span) -> TokenStream {
    let Some(path) = &args.krate else {
        return quote_spanned!(place=> ::lockutils::__private);
    };
    let (_, last) = ends(path);
    let private = quote_spanned!(last=> ::__private);
    quote!(#path #private)
}

/// The places of the first and the last token, with mixed-site hygiene.
fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut spans = tokens
        .to_token_stream()
        .into_iter()
        .map(|token| token.span());
    let first = spans.next().unwrap_or_else(mixed);
    let last = spans.last().unwrap_or(first);
    (mixed().located_at(first), mixed().located_at(last))
}

fn grouped(delimiter: Delimiter, span: Span, tokens: TokenStream) -> TokenTree {
    let mut group = Group::new(delimiter, tokens);
    group.set_span(span);
    group.into()
}

/// Local names can't be seen by the user's code, nor its names by ours.
fn mixed() -> Span {
    Span::mixed_site()
}
