//! Writes what drops the body when its lock is lost, where `cancel_on_loss` stands:
//!
//! ```text
//! LOCK
//! let __lost = lockutils::__private::CanBeLost::lost(&__guard);
//! let __result = {
//!     let __body = async move { ({ BODY }) };
//!     lockutils::__private::until_lost(__lost, pin!(__body)).await
//! };
//! match __result { Ok(__value) => __value, Err(__failure) => FAILURE }
//! ```
//!
//! - The body is a future of its own, in no box. A `return` or a `?` in it ends that one; so that
//!   they and coercions are as before, the block begins with a `return` that is never reached, of the
//!   return type. Where that can't be written down, the compiler finds it out.
//! - It is dropped before the failure is made, and that before the guard is dropped. A guard that
//!   the body has by name goes into it, and is dropped with it.
//! - What the body has of the arguments moves into it, so that it may be sent where they may. Where
//!   `or_else` reads one of them too, which it may do after the body is gone, it borrows them.

use crate::args::Args;
use crate::function::Function;
use crate::lazy::{mentions_impl, output};
use crate::names;
use crate::span::mixed;
use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens as _, quote_spanned};
use syn::{ReturnType, Token, Type};

/// What drops the body when its lock is lost.
pub(crate) struct Cancel {
    /// The module of the runtime.
    pub(crate) private: TokenStream,
    /// What asks the guard, where the argument stands.
    pub(crate) lost: TokenStream,
    /// What comes of the failure.
    pub(crate) failure: TokenStream,
    capture: Option<Token![move]>,
    output: Option<Type>,
}

impl Cancel {
    /// `is_kept` is whether `or_else` is evaluated before the body.
    pub(crate) fn new(
        args: &Args,
        function: &Function,
        is_kept: bool,
        [private, lost, failure]: [TokenStream; 3],
    ) -> Self {
        let or_else = args.or_else.as_ref().filter(|_| !is_kept);
        let reads = or_else.is_some_and(|or_else| {
            let mut arguments = names::parameters(function);
            arguments.push(Ident::new("self", mixed()));
            reads_one_of(or_else.to_token_stream(), &arguments)
        });
        Self {
            private,
            lost,
            failure,
            capture: (!reads).then(|| Token![move](mixed())),
            output: output_of(function),
        }
    }

    /// The block, behind the statements that take the lock.
    pub(crate) fn around(&self, block: &Group) -> TokenStream {
        let Self {
            private,
            lost,
            failure,
            capture,
            output,
        } = self;
        let typed = output.as_ref().map(|output| {
            quote_spanned! {mixed()=>
                if let ::core::option::Option::Some(__value) = #private::no_value::<#output>() {
                    return __value;
                }
            }
        });
        quote_spanned! {mixed()=>
            let __lost = #lost;
            let __result = {
                let __body = async #capture { #typed { (#block) } };
                #private::until_lost(__lost, ::core::pin::pin!(__body)).await
            };
            match __result {
                ::core::result::Result::Ok(__value) => __value,
                ::core::result::Result::Err(__failure) => #failure,
            }
        }
    }
}

/// What the body gives, where that can be written down in it.
fn output_of(function: &Function) -> Option<Type> {
    let output = match (&function.future, &function.sig.output) {
        (Some(_), _) => output(function)?.clone(),
        (None, ReturnType::Default) => syn::parse_quote_spanned!(mixed()=> ()),
        (None, ReturnType::Type(_, output)) => (**output).clone(),
    };
    let is_written = !matches!(output, Type::Never(_)) && !mentions_impl(&output);
    is_written.then_some(output)
}

fn reads_one_of(tokens: TokenStream, names: &[Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => reads_one_of(group.stream(), names),
        TokenTree::Ident(word) => names.contains(&word),
        // A text may capture one.
        TokenTree::Literal(text) => text.to_string().contains('{'),
        TokenTree::Punct(_) => false,
    })
}
