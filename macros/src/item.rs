//! The annotated function, as tokens.
//!
//! All of it is given back as it was written. The signature is parsed only to be
//! looked at, and the body isn't parsed at all, so that half-typed code still
//! completes in an editor. Only its last tokens are looked at: where they are an
//! `async` block or `Box::pin` of one, the block is what has to hold the lock.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Error, LitStr, Result, Signature, Token, Visibility};

/// A function with a body.
pub(crate) struct Function {
    /// All that stands before the body.
    pub(crate) head: TokenStream,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) sig: Signature,
    /// Of the braces around the body.
    pub(crate) span: Span,
    /// The attributes that the body begins with, `#![..]`.
    pub(crate) inner_attrs: TokenStream,
    pub(crate) body: Body,
}

/// What runs under the lock, and where that stands.
pub(crate) enum Body {
    /// The whole body.
    Block(Group),
    /// The `async` block that the body ends in.
    Future(Future),
}

/// A body that makes a future: `statements; async move { .. }`.
pub(crate) struct Future {
    pub(crate) statements: TokenStream,
    /// `Box::pin`, if the block stands in its parentheses.
    pub(crate) pin: Option<Pin>,
    pub(crate) async_token: Ident,
    pub(crate) block: Group,
}

pub(crate) struct Pin {
    pub(crate) path: TokenStream,
    /// Of the parentheses.
    pub(crate) span: Span,
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
    let span = body.span();
    let (inner_attrs, body) = split_inner_attrs(body);
    Ok(Function {
        head: head.into_iter().collect(),
        attrs,
        sig,
        span,
        inner_attrs,
        body: Future::ending(&body).map_or(Body::Block(body), Body::Future),
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
    const QUALIFIERS: [&str; 8] = [
        "default", "const", "async", "gen", "unsafe", "safe", "extern", "auto",
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

impl Future {
    /// Finds the `async` block, or the `Box::pin` of one, that `body` ends in.
    fn ending(body: &Group) -> Option<Self> {
        let tokens = unwrap_last(body.stream());
        let (last, before) = tokens.split_last()?;
        let TokenTree::Group(last) = last else {
            return None;
        };
        if last.delimiter() != Delimiter::Parenthesis {
            let (async_token, block, statements) = split_async_block(&tokens)?;
            return ends_a_statement(statements).then(|| Self {
                statements: stream(statements),
                pin: None,
                async_token,
                block,
            });
        }
        let mut arguments = unwrap_last(last.stream());
        if arguments.last().is_some_and(|token| is_punct(token, ',')) {
            arguments.pop();
        }
        let (async_token, block, []) = split_async_block(&arguments)? else {
            return None;
        };
        let (statements, path) = split_box_pin(before)?;
        ends_a_statement(statements).then(|| Self {
            statements: stream(statements),
            pin: Some(Pin {
                path: stream(path),
                span: last.span(),
            }),
            async_token,
            block,
        })
    }
}

/// Splits `.. async { }` or `.. async move { }` into the word `async`, the block,
/// and what stands before.
fn split_async_block(tokens: &[TokenTree]) -> Option<(Ident, Group, &[TokenTree])> {
    let (block, before) = tokens.split_last()?;
    let TokenTree::Group(block) = see_through(block.clone()) else {
        return None;
    };
    let before = match before.split_last()? {
        (word, before) if is_word(word, "move") => before,
        _ => before,
    };
    match before.split_last()? {
        (TokenTree::Ident(word), before)
            if word == "async" && block.delimiter() == Delimiter::Brace =>
        {
            Some((word.clone(), block, before))
        }
        _ => None,
    }
}

/// Splits `.. Box::pin`, with any path before the `Box`, in front of the path.
fn split_box_pin(tokens: &[TokenTree]) -> Option<(&[TokenTree], &[TokenTree])> {
    let colons = |tokens: &[TokenTree]| match tokens {
        [.., first, second] => is_punct(first, ':') && is_punct(second, ':'),
        _ => false,
    };
    let mut start = tokens.len().checked_sub(4)?;
    let [boxed, .., pin] = &tokens[start..] else {
        return None;
    };
    if !(is_word(boxed, "Box") && is_word(pin, "pin") && colons(&tokens[..start + 3])) {
        return None;
    }
    while colons(&tokens[..start]) {
        start -= 2;
        if let [.., TokenTree::Ident(_)] = tokens[..start] {
            start -= 1;
        }
    }
    Some(tokens.split_at(start))
}

/// Whether an expression may begin behind these tokens, so that it is not a part
/// of another, such as the body of a closure.
fn ends_a_statement(tokens: &[TokenTree]) -> bool {
    match tokens.last() {
        None => true,
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        Some(token) => is_punct(token, ';'),
    }
}

/// The tokens; where the last is what a `macro_rules` parameter stood for, which
/// has invisible delimiters, without these.
fn unwrap_last(tokens: TokenStream) -> Vec<TokenTree> {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    while let Some(TokenTree::Group(group)) = tokens.last()
        && group.delimiter() == Delimiter::None
    {
        let inside = group.stream();
        tokens.pop();
        tokens.extend(inside);
    }
    tokens
}

/// The token; without the invisible delimiters around it.
fn see_through(token: TokenTree) -> TokenTree {
    unwrap_last(token.clone().into()).pop().unwrap_or(token)
}

fn stream(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}
