//! Writes the function down again, with the lock around its body:
//!
//! ```text
//! let __key = lockutils::__private::key(&(KEY));
//! let __guard = lockutils::__private::lock(SPACE, __key, "name");
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
//! - The key has a statement of its own, so that its temporaries don't live across
//!   an `.await`.
//! - Names have mixed-site hygiene: user code can neither see nor shadow them.
//! - What the user wrote keeps its span; around it the new tokens have spans that
//!   let the compiler underline exactly the key, the space or the return type.

use crate::args::{Args, Key};
use crate::item::{Body, Function, Future, Pin};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{ReturnType, Signature};

/// Expands an annotated function.
pub(crate) fn expand(args: &Args, function: Function) -> TokenStream {
    let Function {
        head,
        sig,
        span,
        inner_attrs,
        body,
        ..
    } = function;
    let body = match body {
        Body::Block(block) => locked(&lock(args, &sig, sig.asyncness.is_some()), &block),
        Body::Future(future) => expand_future(future, &lock(args, &sig, true)),
    };
    let body = grouped(Delimiter::Brace, span, quote!(#inner_attrs #body));
    quote!(#head #body)
}

fn expand_future(future: Future, lock: &TokenStream) -> TokenStream {
    let Future {
        statements,
        pin,
        async_token,
        block,
    } = future;
    // With `move` also where the user wrote none: the key may read arguments that
    // the block didn't, and a block that is returned can't borrow them.
    let head = quote_spanned!(async_token.span()=> #async_token move);
    let block = grouped(Delimiter::Brace, block.span(), locked(lock, &block));
    let mut future = quote!(#head #block);
    if let Some(Pin { path, span }) = pin {
        let argument = grouped(Delimiter::Parenthesis, span, future);
        future = quote!(#path #argument);
    }
    quote!(#statements #future)
}

/// `block` under the lock.
fn locked(lock: &TokenStream, block: &Group) -> TokenStream {
    quote_spanned!(mixed()=> #lock { (#block) })
}

/// The statements that take the lock.
fn lock(args: &Args, sig: &Signature, is_async: bool) -> TokenStream {
    let private = private(args);
    let name = sig.ident.unraw().to_string();
    let key = key(args.key.as_ref());
    let (function, space) = match &args.locks {
        Some(space) => ("acquire", reference(space.to_token_stream())),
        None => ("lock", own_or_global(args, &private, &name)),
    };
    let (wait, taken) = if is_async {
        // In a statement of its own, so that nothing of the space's expression
        // lives across the `.await`.
        let function = Ident::new(&format!("{function}_async"), mixed());
        let future = quote_spanned!(mixed()=> #private::#function(#space, __key, #name));
        let wait = quote_spanned!(mixed()=> let __wait = #future;);
        (wait, quote_spanned!(mixed()=> __wait.await))
    } else {
        let function = Ident::new(function, mixed());
        let taken = quote_spanned!(mixed()=> #private::#function(#space, __key, #name));
        (TokenStream::new(), taken)
    };
    let guard = if args.locks.is_some() {
        let give_up = give_up(&private, sig);
        quote_spanned! {mixed()=>
            match #taken {
                ::core::result::Result::Ok(__guard) => __guard,
                ::core::result::Result::Err(__failure) => { #give_up }
            }
        }
    } else {
        taken
    };
    quote_spanned! {mixed()=>
        let __key = #private::key(#key);
        #wait
        let __guard = #guard;
    }
}

/// A reference to the key.
fn key(key: Option<&Key>) -> TokenStream {
    match key {
        None => quote_spanned!(mixed()=> &""),
        Some(Key::Text(text)) => reference(text.to_token_stream()),
        Some(Key::Format(text)) => {
            let at = mixed().located_at(text.span());
            reference(quote_spanned!(at=> ::core::format_args!(#text)))
        }
        Some(Key::Value(value)) => reference(value.to_token_stream()),
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
fn give_up(private: &TokenStream, sig: &Signature) -> TokenStream {
    let place = match &sig.output {
        ReturnType::Type(_, ty) => ty.to_token_stream(),
        ReturnType::Default => sig.ident.to_token_stream(),
    };
    let (first, last) = ends(&place);
    let private = private.clone().into_iter().map(|mut token| {
        token.set_span(token.span().located_at(first));
        token
    });
    let private: TokenStream = private.collect();
    let head = quote_spanned!(first=> return #private);
    quote_spanned!(last=> #head::failed(__failure))
}

/// `&(EXPR)`. Whatever the expression is, parentheses keep it together; and since
/// `&` has the span of its first token and `()` of its last, the compiler's
/// messages underline the whole of it.
fn reference(expression: TokenStream) -> TokenStream {
    let (first, last) = ends(&expression);
    let parenthesized = grouped(Delimiter::Parenthesis, last, expression);
    quote_spanned!(first=> &#parenthesized)
}

/// The module of the runtime that is for expanded code.
fn private(args: &Args) -> TokenStream {
    let Some(path) = &args.krate else {
        return quote_spanned!(mixed()=> ::lockutils::__private);
    };
    let (_, last) = ends(&path.to_token_stream());
    let private = quote_spanned!(last=> ::__private);
    quote!(#path #private)
}

/// The places of the first and the last token, with mixed-site hygiene.
fn ends(tokens: &TokenStream) -> (Span, Span) {
    let mut spans = tokens.clone().into_iter().map(|token| token.span());
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
