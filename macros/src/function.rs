//! A function with a body, as tokens.
//!
//! All of it is given back as it was written. The signature is parsed only to be
//! looked at, and the body isn't parsed at all, so that half-typed code still
//! completes in an editor.

use crate::future::{Future, is_punct, see_through, stream};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::buffer::Cursor;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Attribute, Error, LitStr, Result, Signature, Token, Visibility};

/// A function with a body.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    /// All that stands between the attributes and the body.
    pub(crate) head: TokenStream,
    pub(crate) sig: Signature,
    /// The attributes that the body begins with, `#![..]`.
    pub(crate) inner_attrs: TokenStream,
    /// The body, without these.
    pub(crate) body: Group,
    /// What the body ends in, if that is what has to hold the lock.
    pub(crate) future: Option<Future>,
    /// Whether it is the attribute of an `impl` block that it is locked by.
    pub(crate) is_in_block: bool,
}

impl Function {
    pub(crate) fn parse(attrs: Vec<Attribute>, input: ParseStream<'_>) -> Result<Self> {
        let begin = input.cursor();
        input.parse::<Visibility>()?;
        expect_function(&input.fork())?;
        input.parse::<Option<Token![default]>>()?;
        let sig: Signature = input.parse()?;
        let head = between(begin, input.cursor());
        if let Some(end) = input.parse::<Option<Token![;]>>()? {
            let message = if is_of_another_attribute(end.span, ";") {
                "another attribute has copied this one to a function without a body; put `#[synchronized]` above that one, on its `impl` block"
            } else {
                "a function without a body cannot be synchronized; annotate the functions that implement it"
            };
            return Err(Error::new_spanned(sig, message));
        }
        let (inner_attrs, body) = match input.parse().map(see_through)? {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                split_inner_attrs(body)
            }
            other => {
                let message = "expected the function's body, `{ .. }`";
                return Err(Error::new(other.span(), message));
            }
        };
        let is_async = sig.asyncness.is_some();
        let future = if is_async {
            None
        } else {
            Future::ending(&body)
        };
        Ok(Self {
            attrs,
            head,
            sig,
            inner_attrs,
            body,
            future,
            is_in_block: false,
        })
    }

    /// Whether a task holds the lock.
    pub(crate) const fn is_async(&self) -> bool {
        self.sig.asyncness.is_some() || self.future.is_some()
    }

    /// Whether it takes `self`.
    pub(crate) fn is_method(&self) -> bool {
        self.sig.receiver().is_some()
    }
}

/// Whether it is this crate's attribute, under whatever path.
pub(crate) fn is_synchronized(attr: &Attribute) -> bool {
    let name = attr.path().segments.last();
    name.is_some_and(|name| name.ident == "synchronized")
}

/// Whether it is, if a condition holds.
pub(crate) fn may_be_synchronized(attr: &Attribute) -> bool {
    fn mentions_it(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(word) => word == "synchronized",
            TokenTree::Group(group) => mentions_it(group.stream()),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    attr.path().is_ident("cfg_attr") && mentions_it(attr.to_token_stream())
}

/// The tokens from one place to another. What a `macro_rules` parameter stood for, in
/// invisible delimiters, may reach beyond the second; then it is what is inside, up to
/// there.
pub(crate) fn between(begin: Cursor<'_>, end: Cursor<'_>) -> TokenStream {
    let mut tokens = Vec::new();
    let mut place = begin;
    while place < end {
        let Some((token, next)) = place.token_tree() else {
            break;
        };
        match place.group(Delimiter::None) {
            Some((inside, ..)) if next > end => place = inside,
            _ => {
                tokens.push(token);
                place = next;
            }
        }
    }
    stream(&tokens)
}

/// Refuses every item but a function.
fn expect_function(input: ParseStream<'_>) -> Result<()> {
    const QUALIFIERS: [&str; 9] = [
        "default", "const", "async", "gen", "unsafe", "safe", "extern", "auto", "move",
    ];
    const ITEMS: [&str; 10] = [
        "struct",
        "enum",
        "union",
        "mod",
        "trait",
        "impl",
        "static",
        "type",
        "use",
        "macro_rules",
    ];
    let mut found = input.fork().call(Ident::parse_any).ok();
    while let Ok(word) = input.call(Ident::parse_any) {
        let text = word.to_string();
        if text == "fn" {
            return Ok(());
        }
        if text == "gen" {
            let message = "a `gen fn` cannot be synchronized; its body runs after the call, and only in parts";
            return Err(Error::new_spanned(word, message));
        }
        let is_item = ITEMS.contains(&&*text);
        if is_item || QUALIFIERS.contains(&&*text) {
            found = Some(word);
        }
        if is_item {
            break;
        }
        // The ABI of `extern "C"`.
        input.parse::<Option<LitStr>>()?;
    }
    if input.peek(Token![|]) {
        return Err(
            input.error("expected a function, found a closure; call a function of its own from it")
        );
    }
    let Some(found) = found else {
        return Err(input.error("expected a function"));
    };
    let text = found.to_string();
    let message = match &*text {
        _ if is_of_another_attribute(found.span(), &text) => {
            "another attribute has put this one above something that it writes; put `#[synchronized]` above that one, or, for a trait, above the methods that implement it"
        }
        "trait" => {
            "expected a function or an `impl` block, found a trait; annotate its methods, or the blocks that implement it"
        }
        "mod" => "expected a function, found a module; annotate its functions",
        other => &format!(
            "expected a function, found `{other}`; what is locked is the body of a function"
        ),
    };
    Err(Error::new_spanned(found, message))
}

/// Whether an attribute above has written this word, for the place of which the compiler then
/// shows the attribute. Such a one has copied what stood above a method to something else.
fn is_of_another_attribute(span: Span, word: &str) -> bool {
    span.source_text().is_some_and(|text| text != word)
}

/// Splits the body into the attributes that it begins with and the rest, since
/// the rest won't be where such attributes may stand.
pub(crate) fn split_inner_attrs(body: Group) -> (TokenStream, Group) {
    let tokens: Vec<TokenTree> = body.stream().into_iter().collect();
    let attrs = tokens
        .chunks_exact(3)
        .take_while(|tokens| match tokens {
            [pound, bang, TokenTree::Group(group)] => {
                is_punct(pound, '#')
                    && is_punct(bang, '!')
                    && group.delimiter() == Delimiter::Bracket
            }
            _ => false,
        })
        .count();
    if attrs == 0 {
        return (TokenStream::new(), body);
    }
    let (attrs, rest) = tokens.split_at(3 * attrs);
    let mut body_without = Group::new(Delimiter::Brace, stream(rest));
    body_without.set_span(body.span());
    (stream(attrs), body_without)
}
