//! The macro `key!`: a format string as a key where no attribute is.
//!
//! It becomes the same as in the attribute, and may capture whatever is in scope.

use crate::format;
use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitStr, Path, Result, Token};

/// What the macro is given: the runtime's module, and what the user wrote.
struct Input {
    private: Path,
    text: LitStr,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let private = input.call(Path::parse_mod_style)?;
        input.parse::<Token![,]>()?;
        if input.is_empty() {
            return Err(input.error("missing format string, expected `key!(\"vm-{id}\")`"));
        }
        let text: LitStr = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            let message = "unexpected argument; write a name in the braces, or `format_args!(\"..\", value)` in place of `key!`";
            return Err(input.error(message));
        }
        Ok(Self { private, text })
    }
}

/// The string as a key.
pub(crate) fn key(input: TokenStream) -> TokenStream {
    let key = syn::parse2(input).and_then(|input| written(&input));
    key.unwrap_or_else(Error::into_compile_error)
}

fn written(Input { private, text }: &Input) -> Result<TokenStream> {
    format::expect_names(text, "a value", "")?;
    let names = format::names(text);
    let pieces = (!names.is_empty()).then(|| {
        let private = private.to_token_stream();
        format::in_pieces(text, &names, &[], &private)
    });
    Ok(pieces.flatten().unwrap_or_else(|| format::whole(text)))
}

#[cfg(test)]
mod tests {
    use super::key;
    use proc_macro2::TokenStream;
    use quote::quote;

    fn text(input: &TokenStream) -> String {
        key(quote!(private, #input)).to_string()
    }

    #[test]
    fn only_names_alone_are_pieces() {
        let in_pieces = text(&quote!("vm-{id}"));
        assert!(
            in_pieces.starts_with("private :: Format :: new"),
            "{in_pieces}"
        );
        assert_eq!(in_pieces, text(&quote!("vm-{id}",)));
        for whole in [quote!("vm-{id:08}"), quote!("{{{id}"), quote!("vm")] {
            let key = text(&whole);
            assert_eq!(key, quote!(::core::format_args!(#whole)).to_string());
        }
    }

    #[test]
    fn what_is_no_format_string_of_names_is_refused() {
        for (input, error) in [
            (quote!(), "missing format string"),
            (quote!(id), "expected string literal"),
            (quote!("{}", id), "unexpected argument"),
            (
                quote!("{0}"),
                "write the name of a value there, or `format_args!",
            ),
            (quote!("{vm.id}"), "write `format_args!"),
        ] {
            let text = text(&input);
            assert!(
                text.contains("compile_error") && text.contains(error),
                "{text}"
            );
        }
    }
}
