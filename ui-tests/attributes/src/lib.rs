//! Attributes that copy what stands above a method to what they write, as some of other
//! crates do. Each stands above an `impl` block of one method, which has one attribute.

#![forbid(unsafe_code)]

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Copies all but the method's body to a trait, as attributes do by which methods are added to
/// a type of another crate.
#[proc_macro_attribute]
pub fn extension(_: TokenStream, item: TokenStream) -> TokenStream {
    let (head, methods) = up_to_braces(item);
    let (method, _) = up_to_braces(methods.stream());
    let method = method.into_iter().chain(written(";")).collect();
    let ty = head.into_iter().skip(1);
    written("trait Extension")
        .chain([Group::new(Delimiter::Brace, method).into()])
        .chain(written("impl Extension for"))
        .chain(ty)
        .chain([methods.into()])
        .collect()
}

/// Copies the method's attribute to a module, as attributes do that make a mock of a type.
#[proc_macro_attribute]
pub fn mock(_: TokenStream, item: TokenStream) -> TokenStream {
    let (_, methods) = up_to_braces(item.clone());
    let attribute = methods.stream().into_iter().take(2);
    attribute
        .chain(written("mod mocked {}"))
        .chain(item)
        .collect()
}

/// The tokens up to the first braces, and these.
fn up_to_braces(tokens: TokenStream) -> (Vec<TokenTree>, Group) {
    let mut before = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                return (before, group);
            }
            token => before.push(token),
        }
    }
    panic!("expected braces");
}

/// Tokens of this crate.
fn written(text: &str) -> impl Iterator<Item = TokenTree> {
    let tokens: TokenStream = text.parse().expect("these are tokens");
    tokens.into_iter()
}
