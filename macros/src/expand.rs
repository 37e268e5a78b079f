//! Writes the function down again, with the lock around its body:
//!
//! ```text
//! LOCK
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
//!
//! Where the body makes a future, the lock is around the block that it ends in.
//!
//! [`mod@lock`](crate::lock) writes the statements that take the lock.

use crate::args::Args;
use crate::block::Block;
use crate::function::{Function, is_synchronized, may_be_synchronized};
use crate::future::{Future, Pin};
use crate::lazy::{Kind, Lazy, lazy};
use crate::lock::{Lock, private};
use crate::span::{ends, grouped, mixed};
use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Error};

/// The function with its lock.
pub(crate) fn function(args: &Args, function: &Function, lock: &Lock) -> TokenStream {
    let body = match &function.future {
        None => locked(lock, &function.body),
        Some(future) if future.is_behind_statements() => later(args, function, future, lock),
        Some(future) => with_lock(future, lock),
    };
    let checks = lazy(function).into_iter().filter(|lazy| lazy.is_named);
    let checks = checks.map(|lazy| is_not_lazy(args, &lazy));
    with_body(&function.attrs, function, &quote!(#(#checks)* #body))
}

/// A statement that doesn't compile if the type is what its name says.
fn is_not_lazy(args: &Args, Lazy { ty, kind, .. }: &Lazy<'_>) -> TokenStream {
    let (first, last) = ends(ty);
    let private = private(args, first);
    let asked = match kind {
        Kind::Future => quote_spanned!(last=> is_future),
        Kind::Stream => quote_spanned!(last=> is_stream),
    };
    let answer = quote_spanned!(last=> #private::Returned::<#ty>::NEW.#asked());
    quote_spanned!(last=> #private::RunsDuringTheCall::check(#answer);)
}

/// The function without a lock, nor another attribute that asks for one, and what is wrong
/// with it. That stands inside the body, where it keeps the compiler from warning of
/// arguments that only the key reads.
pub(crate) fn refuse(function: &Function, error: &Error) -> TokenStream {
    let error = error.to_compile_error();
    let body = function.body.stream();
    let attrs = function.attrs.iter();
    let attrs = attrs.filter(|attr| !(is_synchronized(attr) || may_be_synchronized(attr)));
    with_body(attrs, function, &quote!(#error #body))
}

/// The function as it was written.
pub(crate) fn unlocked(function: &Function) -> TokenStream {
    with_body(&function.attrs, function, &function.body.stream())
}

fn with_body<'a>(
    attrs: impl IntoIterator<Item = &'a Attribute>,
    function: &Function,
    body: &TokenStream,
) -> TokenStream {
    let Function {
        head, inner_attrs, ..
    } = function;
    let attrs = attrs.into_iter();
    let span = function.body.span();
    let body = grouped(Delimiter::Brace, span, quote!(#inner_attrs #body));
    quote!(#(#attrs)* #head #body)
}

/// The block with these members, and what is wrong with it.
pub(crate) fn block(block: &Block, members: &TokenStream, error: Option<&Error>) -> TokenStream {
    let Block {
        attrs,
        head,
        inner_attrs,
        ..
    } = block;
    let span = block.braces.span();
    let body = grouped(Delimiter::Brace, span, quote!(#inner_attrs #members));
    let error = error.map(Error::to_compile_error);
    quote!(#error #(#attrs)* #head #body)
}

/// A future that holds the lock, behind statements that run at the call. What these declare
/// is seen neither by the attribute's arguments, which are evaluated ahead of them and
/// outside of their braces, nor by the lock.
fn later(args: &Args, function: &Function, future: &Future, lock: &Lock) -> TokenStream {
    let ahead = &lock.ahead;
    let statements = &future.statements;
    // A `return` among them, be it from a macro, would give a future without the lock. It
    // doesn't compile, since it would drop `no_return_before_the_block` after what that borrows. The compiler's
    // message begins with the name of the latter, which has to be the user's to be named.
    let at = mixed().located_at(future.async_token.span());
    let private = private(args, at);
    let passed = quote_spanned!(at=> no_return_before_the_block);
    let lost =
        quote_spanned!(future.async_token.span()=> a_return_before_this_block_skips_the_lock);
    let ahead = quote_spanned! {at=>
        #ahead
        let #passed;
        let #lost = ();
        #passed = #private::Passed(&#lost);
    };
    let future = with_lock(future, lock);
    let body = quote_spanned!(at=> #statements #passed.pass(); #future);
    let body = grouped(Delimiter::Brace, function.body.span(), body);
    behind(&ahead, &body)
}

/// The future with its lock.
fn with_lock(future: &Future, lock: &Lock) -> TokenStream {
    let Future {
        pin,
        async_token,
        block,
        ..
    } = future;
    // With `move` also where the user wrote none: the key may read arguments that
    // the block didn't, and a block that is returned can't borrow them.
    let head = quote_spanned!(async_token.span()=> #async_token move);
    let locked = locked(lock, block);
    let block = grouped(Delimiter::Brace, block.span(), locked);
    let future = quote!(#head #block);
    let Some(Pin { path, span }) = pin else {
        return future;
    };
    let argument = grouped(Delimiter::Parenthesis, *span, future);
    quote!(#path #argument)
}

/// `block` under the lock.
fn locked(lock: &Lock, block: &Group) -> TokenStream {
    let take = &lock.take;
    match &lock.cancel {
        None => behind(take, block),
        Some(cancel) => {
            let cancelled = cancel.around(block);
            quote_spanned!(mixed()=> #take #cancelled)
        }
    }
}

/// `block` behind statements.
fn behind(statements: &TokenStream, block: &Group) -> TokenStream {
    quote_spanned!(mixed()=> #statements { (#block) })
}
