//! Functions that aren't async and yet return a future.
//!
//! Their bodies end in an `async` block, or in `Box::pin` of one, which is what
//! `#[async_trait]` makes of an async method. Then the block is what has to hold the
//! lock. It is found by the body's last tokens; nothing is parsed.
//!
//! Other bodies that make a future are known by the return type, see
//! [`mod@lazy`](crate::lazy).

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens as _;

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

impl Future {
    /// Whether something runs before it, at the call.
    pub(crate) fn is_behind_statements(&self) -> bool {
        !self.statements.is_empty()
    }

    /// Finds the `async` block, or the `Box::pin` of one, that `body` ends in.
    pub(crate) fn ending(body: &Group) -> Option<Self> {
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
pub(crate) fn unwrap_last(tokens: TokenStream) -> Vec<TokenTree> {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    while let Some(TokenTree::Group(group)) = tokens.last() {
        if group.delimiter() != Delimiter::None {
            break;
        }
        let inside = group.stream();
        tokens.pop();
        tokens.extend(inside);
    }
    tokens
}

/// The token; without the invisible delimiters around it.
pub(crate) fn see_through(token: TokenTree) -> TokenTree {
    unwrap_last(token.clone().into()).pop().unwrap_or(token)
}

pub(crate) fn stream(tokens: &[TokenTree]) -> TokenStream {
    tokens.iter().cloned().collect()
}

pub(crate) fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

pub(crate) fn is_word(token: &TokenTree, word: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == word)
}

/// Finds the first of these tokens that `leaves` the function they stand in. It isn't looked
/// for in what is, or may be, left by itself: a closure, another function, an `async` block,
/// and the arguments of a macro.
pub(crate) fn find_exit(tokens: TokenStream, leaves: fn(&TokenTree) -> bool) -> Option<TokenTree> {
    let mut before: Option<TokenTree> = None;
    // Up to the end of the statement.
    let mut is_left_alone = false;
    for token in tokens {
        is_left_alone = match (&token, &before) {
            (TokenTree::Punct(punct), before) => match (punct.as_char(), punct.spacing()) {
                (';', _) => false,
                ('|', _) => is_left_alone || !ends_an_operand(before.as_ref()),
                ('!', Spacing::Alone) => is_left_alone || ends_an_operand(before.as_ref()),
                _ => is_left_alone,
            },
            (token, _) => is_left_alone || is_word(token, "async") || is_word(token, "fn"),
        };
        if !is_left_alone {
            if leaves(&token) {
                return Some(token);
            }
            if let TokenTree::Group(group) = &token {
                if let Some(exit) = find_exit(group.stream(), leaves) {
                    return Some(exit);
                }
            }
        }
        before = Some(token);
    }
    None
}

/// Whether a `|` behind the token is an operator, and no closure's, and a `!` is a macro's,
/// and no operator.
fn ends_an_operand(token: Option<&TokenTree>) -> bool {
    match token {
        // No keyword.
        Some(TokenTree::Ident(word)) => syn::parse2::<Ident>(word.to_token_stream()).is_ok(),
        Some(TokenTree::Group(group)) => group.delimiter() != Delimiter::Brace,
        Some(TokenTree::Literal(_)) => true,
        Some(TokenTree::Punct(_)) | None => false,
    }
}
