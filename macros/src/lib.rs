//! The attribute `#[synchronized]`; use it through the crate `lockutils`.

use proc_macro::TokenStream;

mod args;
mod errors;
mod expand;
mod future;
mod item;
mod validate;

/// Lets a function run only once at a time for each key.
#[proc_macro_attribute]
pub fn synchronized(args: TokenStream, item: TokenStream) -> TokenStream {
    locked_or_refused(args.into(), item.into()).into()
}

fn locked_or_refused(
    args: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> proc_macro2::TokenStream {
    let function = match item::parse(item.clone()) {
        Ok(function) => function,
        Err(error) => return error.to_compile_error().into_iter().chain(item).collect(),
    };
    match validate::validate(args::parse(args), &function) {
        Ok(args) => expand::expand(&args, &function),
        Err(error) => expand::refuse(&function, &error),
    }
}
