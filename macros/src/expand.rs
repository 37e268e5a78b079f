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
//! [`mod@lock`](crate::lock) writes the statements that take the lock.

use crate::args::Args;
use crate::future::{Future, Pin};
use crate::item::Function;
use crate::lock::lock;
use crate::span::{grouped, mixed};
use proc_macro2::{Delimiter, Group, TokenStream};
use quote::{quote, quote_spanned};
use syn::Error;

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
