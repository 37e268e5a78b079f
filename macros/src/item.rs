//! The annotated function, as tokens.
//!
//! All of it is given back as it was written. The signature is parsed only to be
//! looked at, and the body isn't parsed at all, so that half-typed code still
//! completes in an editor.

use crate::future::{Future, is_punct, see_through, stream};
use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Error, LitStr, Result, Signature, Token, Visibility};

/// A function with a body.
pub(crate) struct Function {
    /// All that stands before the body.
    pub(crate) head: TokenStream,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) sig: Signature,
    /// The attributes that the body begins with, `#![..]`.
    pub(crate) inner_attrs: TokenStream,
    /// The body, without these.
    pub(crate) body: Group,
    /// What the body ends in, if that is what has to hold the lock.
    pub(crate) future: Option<Future>,
}

impl Function {
    /// Whether a task holds the lock.
    pub(crate) const fn is_async(&self) -> bool {
        self.sig.asyncness.is_some() || self.future.is_some()
    }
}

/// Parses a function with a body.
pub(crate) fn parse(item: TokenStream) -> Result<Function> {
    let mut head: Vec<TokenTree> = item.clone().into_iter().collect();
    let (attrs, sig, body) = parse_function.parse2(item)?;
    let Some(body) = body else {
        let message = "a function without a body cannot be synchronized; annotate the functions that implement it";
        return Err(Error::new_spanned(sig, message));
    };
    // The body is the last token tree, and the head is all but that one.
    head.pop();
    let (inner_attrs, body) = split_inner_attrs(body);
    let is_async = sig.asyncness.is_some();
    let future = if is_async {
        None
    } else {
        Future::ending(&body)
    };
    Ok(Function {
        head: head.into_iter().collect(),
        attrs,
        sig,
        inner_attrs,
        body,
        future,
    })
}

type Parts = (Vec<Attribute>, Signature, Option<Group>);

fn parse_function(input: ParseStream<'_>) -> Result<Parts> {
    let attrs = input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    expect_function(&input.fork())?;
    input.parse::<Option<Token![default]>>()?;
    let sig = input.parse()?;
    if input.parse::<Option<Token![;]>>()?.is_some() {
        return Ok((attrs, sig, None));
    }
    match input.parse().map(see_through)? {
        TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
            Ok((attrs, sig, Some(body)))
        }
        other => {
            let message = "expected the function's body, `{ .. }`";
            Err(Error::new(other.span(), message))
        }
    }
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
    let message = match &*found.to_string() {
        "impl" => {
            "`#[synchronized]` on an `impl` block is not supported by this version of lockutils; annotate its methods"
        }
        "trait" => {
            "expected a function, found a trait; annotate its methods, or those of its `impl` blocks"
        }
        "mod" => "expected a function, found a module; annotate its functions",
        other => &format!(
            "expected a function, found `{other}`; what is locked is the body of a function"
        ),
    };
    Err(Error::new_spanned(found, message))
}

/// Splits the body into the attributes that it begins with and the rest, since
/// the rest won't be where such attributes may stand.
fn split_inner_attrs(body: Group) -> (TokenStream, Group) {
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
