//! Writes the function down again, with the lock around its body:
//!
//! ```text
//! let __begun = lockutils::__private::Space::begin(SPACE, &(KEY), site(&"name"));
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
    let private = private(args);
    let begun = begin(args, &private, &name, is_async);
    let result = if is_async {
        quote_spanned!(mixed()=> __begun.await)
    } else {
        quote_spanned!(mixed()=> #private::finish(__begun))
    };
    let guard = if args.locks.is_some() {
        let give_up = give_up(&private, function);
        quote_spanned! {mixed()=>
            let __guard = match #result {
                ::core::result::Result::Ok(__guard) => __guard,
                ::core::result::Result::Err(__failure) => { #give_up }
            };
        }
    } else {
        // Its failure has no value, so there is nothing else to match.
        quote_spanned!(mixed()=> let ::core::result::Result::Ok(__guard) = #result;)
    };
    quote_spanned! {mixed()=>
        let __begun = #begun;
        #guard
    }
}

/// Evaluates the space and the key. The call has the span of the user's space, so that
/// one that is no space is reported once.
fn begin(args: &Args, private: &TokenStream, name: &str, is_async: bool) -> TokenStream {
    let (space, at) = match &args.locks {
        Some(space) => {
            let space = space.to_token_stream();
            (reference(space.clone()), ends(&space))
        }
        None => (own_or_global(args, private, name), (mixed(), mixed())),
    };
    let key = key(args.key.as_ref());
    let method = word(if is_async { "begin_async" } else { "begin" });
    call(
        at,
        quote_spanned!(mixed()=> #private::Space::#method),
        quote_spanned!(mixed()=> #space, #key, #private::site(&#name)),
    )
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
fn give_up(private: &TokenStream, function: &Function) -> TokenStream {
    let place = match &function.sig.output {
        ReturnType::Default => function.sig.ident.to_token_stream(),
        ReturnType::Type(_, ty) => match (&function.future, lazy(ty)) {
            (Some(_), Some(Lazy::Future(Some(output)))) => output.to_token_stream(),
            _ => ty.to_token_stream(),
        },
    };
    let ends = ends(&place);
    // It is the argument that the compiler underlines, so that has to reach from
    // end to end, as one name can't.
    let failure = call(
        ends,
        quote_spanned!(mixed()=> ::core::convert::identity),
        quote_spanned!(mixed()=> __failure),
    );
    let value = call(
        ends,
        quote_spanned!(mixed()=> #private::FromFailure::from_failure),
        failure,
    );
    quote_spanned!(mixed()=> return #value)
}

/// `&(EXPR)`. Whatever the expression is, parentheses keep it together; and since
/// `&` has the span of its first token and `()` of its last, the compiler's
/// messages underline the whole of it.
fn reference(expression: TokenStream) -> TokenStream {
    let (first, last) = ends(&expression);
    let parenthesized = grouped(Delimiter::Parenthesis, last, expression);
    quote_spanned!(first=> &#parenthesized)
}

/// `function(arguments)`, as if it stood where `ends` are.
fn call(ends: (Span, Span), function: TokenStream, arguments: TokenStream) -> TokenStream {
    let (first, last) = ends;
    let function = function.into_iter().map(|mut token| {
        token.set_span(token.span().located_at(first));
        token
    });
    let arguments = grouped(Delimiter::Parenthesis, last, arguments);
    function.chain([arguments]).collect()
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

fn word(name: &str) -> Ident {
    Ident::new(name, mixed())
}

/// Local names can't be seen by the user's code, nor its names by ours.
fn mixed() -> Span {
    Span::mixed_site()
}
