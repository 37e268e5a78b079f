//! An annotated `impl` block.
//!
//! Its attribute holds for every method that takes `self`, as if it stood above the
//! method, unless one stands there. What isn't a function is kept as it was written, and so is
//! what can't be read, such as a half-typed signature, with all that stands behind it.

use crate::args::Args;
use crate::function::{Function, between, is_synchronized, split_inner_attrs};
use crate::future::{stream, unwrap_last};
use crate::names;
use crate::span::mixed;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Error, Ident, LitStr, Result, Token, Visibility};

pub(crate) struct Block {
    pub(crate) attrs: Vec<Attribute>,
    /// All that stands between the attributes and the braces.
    pub(crate) head: TokenStream,
    /// The attributes that the block begins with, `#![..]`.
    pub(crate) inner_attrs: TokenStream,
    /// The braces, for their place.
    pub(crate) braces: Group,
    pub(crate) members: Vec<Member>,
    /// Why the last of the members can't be read.
    pub(crate) readable: Result<()>,
}

pub(crate) enum Member {
    Function(Box<Method>),
    Other(TokenStream),
}

pub(crate) struct Method {
    pub(crate) function: Function,
    /// The attribute that stands above it instead of the block's.
    pub(crate) own: Option<Attribute>,
}

impl Block {
    pub(crate) fn begins(input: ParseStream<'_>) -> bool {
        let ahead = input.fork();
        let qualified = ahead.parse::<Option<Token![default]>>().is_ok()
            && ahead.parse::<Option<Token![unsafe]>>().is_ok();
        qualified && ahead.peek(Token![impl])
    }

    pub(crate) fn parse(attrs: Vec<Attribute>, input: ParseStream<'_>) -> Result<Self> {
        let mut head = unwrap_last(input.parse()?);
        let braces = match head.pop() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group,
            other => {
                let message = "expected the block's methods, `{ .. }`";
                return Err(Error::new_spanned(other, message));
            }
        };
        let (inner_attrs, braces) = split_inner_attrs(braces);
        let mut members = Vec::new();
        let parse_members = |input: ParseStream<'_>| {
            let mut readable = Ok(());
            while !input.is_empty() {
                let rest = input.fork();
                let member = Member::parse(input).or_else(|error| {
                    readable = Err(error);
                    input.parse::<TokenStream>()?;
                    rest.parse().map(Member::Other)
                })?;
                members.push(member);
            }
            Ok(readable)
        };
        let readable = parse_members.parse2(braces.stream())?;
        Ok(Self {
            attrs,
            head: stream(&head),
            inner_attrs,
            braces,
            members,
            readable,
        })
    }

    /// The word `impl`.
    pub(crate) fn impl_token(&self) -> Option<TokenTree> {
        let is_impl = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "impl");
        self.head.clone().into_iter().find(is_impl)
    }

    /// What the block's attribute could hold for.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &Function> {
        let functions = self.members.iter().filter_map(|member| match member {
            Member::Function(method) => Some(&method.function),
            Member::Other(_) => None,
        });
        functions.filter(|function| function.is_method())
    }

    /// The arguments, as this method has them. A name that is an argument of other methods and
    /// none of this one has the place of the method's name: if it is no `static` or `const`
    /// either, the compiler says so there, and not only where the block's attribute is.
    pub(crate) fn args_of(&self, args: &Args, method: &Function) -> Args {
        let own = names::parameters(method);
        let others: Vec<_> = self.methods().flat_map(names::parameters).collect();
        let lacks = |name: &Ident| others.contains(name) && !own.contains(name);
        let mut lacking = args.names_of_values(names::free);
        lacking.retain(lacks);
        // What isn't an argument is an item, which needs no hygiene of the user's; so the
        // compiler shows the attribute as well.
        args.with_names_at(&lacking, mixed().located_at(method.sig.ident.span()))
    }
}

impl Member {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let begin = input.cursor();
        let mut attrs = input.call(Attribute::parse_outer)?;
        if !is_function(&input.fork()) {
            input.parse::<Visibility>()?;
            skip_item(input)?;
            return Ok(Self::Other(between(begin, input.cursor())));
        }
        let own = attrs.iter().position(is_synchronized);
        let own = own.map(|own| attrs.remove(own));
        let mut function = Function::parse(attrs, input)?;
        function.is_in_block = own.is_none();
        Ok(Self::Function(Box::new(Method { function, own })))
    }
}

/// Whether only qualifiers, such as `pub` or `extern "C"`, stand before the word `fn`.
fn is_function(input: ParseStream<'_>) -> bool {
    if input.parse::<Visibility>().is_err() {
        return false;
    }
    while let Ok(word) = input.call(Ident::parse_any) {
        if word == "fn" {
            return true;
        }
        if input.parse::<Option<LitStr>>().is_err() {
            return false;
        }
    }
    false
}

/// Skips a constant, a type or the call of a macro. Should it stop too early, then what is
/// left is taken for one more of them, and given back all the same.
fn skip_item(input: ParseStream<'_>) -> Result<()> {
    let mut is_macro = false;
    loop {
        match input.parse()? {
            TokenTree::Group(group) => match group.delimiter() {
                // Maybe all of the item, which a `macro_rules` parameter stood for.
                Delimiter::None => return Ok(()),
                Delimiter::Brace if is_macro => return Ok(()),
                _ => {}
            },
            TokenTree::Punct(punct) if punct.as_char() == ';' => return Ok(()),
            TokenTree::Punct(punct) => is_macro = punct.as_char() == '!',
            _ => {}
        }
    }
}
