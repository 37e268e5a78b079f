//! The attribute `#[synchronized]`; use it through the crate `lockutils`.

use proc_macro::TokenStream;

mod args;
mod errors;
mod expand;
mod item;
mod validate;

/// Lets a function run only once at a time for each key.
#[proc_macro_attribute]
pub fn synchronized(args: TokenStream, item: TokenStream) -> TokenStream {
    locked_or_explained(args.into(), item.into()).into()
}

/// The function with its lock; or as it was, so that no other code misses it, with
/// what is wrong with it.
fn locked_or_explained(
    args: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> proc_macro2::TokenStream {
    match validate::validate(args::parse(args), item::parse(item.clone())) {
        Ok((args, function)) => expand::expand(&args, function),
        Err(error) => item.into_iter().chain(error.to_compile_error()).collect(),
    }
}
