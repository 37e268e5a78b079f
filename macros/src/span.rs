//! New tokens among the user's, with spans that let the compiler underline exactly what
//! the user wrote.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};

/// Local names can't be seen by the user's code, nor its names by ours.
pub(crate) fn mixed() -> Span {
    Span::mixed_site()
}

/// The places of the first and the last token, with mixed-site hygiene.
pub(crate) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut spans = tokens
        .to_token_stream()
        .into_iter()
        .map(|token| token.span());
    let first = spans.next().unwrap_or_else(mixed);
    let last = spans.last().unwrap_or(first);
    (mixed().located_at(first), mixed().located_at(last))
}

pub(crate) fn grouped(delimiter: Delimiter, span: Span, tokens: TokenStream) -> Group {
    let mut group = Group::new(delimiter, tokens);
    group.set_span(span);
    group
}

/// `(EXPR)`, which keeps any expression together.
pub(crate) fn parenthesized(expression: &impl ToTokens) -> Group {
    let (_, last) = ends(expression);
    grouped(Delimiter::Parenthesis, last, expression.to_token_stream())
}

/// `&(EXPR)`. Since `&` has the span of its first token and `()` of its last, the
/// compiler's messages underline the whole of it.
pub(crate) fn reference(expression: &impl ToTokens) -> TokenStream {
    let (first, _) = ends(expression);
    let expression = parenthesized(expression);
    quote_spanned!(first=> &#expression)
}

/// The local, as an argument that the compiler underlines from end to end, as it
/// can't do with a single word.
pub(crate) fn spread(local: &str, (first, last): (Span, Span)) -> TokenStream {
    let identity = quote_spanned!(first=> ::core::convert::identity);
    let local = Ident::new(local, last);
    quote_spanned!(last=> #identity(#local))
}
