//! From the attribute's tokens to the item's: parsed, validated, locked, expanded.
//!
//! After an error the item stands all the same, with the error and without a lock, so that
//! one mistake isn't many, and the editor knows the item while it is typed.

use crate::args::{self, Args};
use crate::block::{Block, Member, Method};
use crate::errors::both;
use crate::function::Function;
use crate::item::{self, Item};
use crate::{expand, lock, validate};
use proc_macro2::TokenStream;
use syn::Result;

/// What `#[synchronized(args)]` makes of an item.
pub(crate) fn synchronized(args: TokenStream, item: TokenStream) -> TokenStream {
    match item::parse(item.clone()) {
        Ok(Item::Function(function)) => lock_function(args::parse(args), &function),
        Ok(Item::Block(block)) => lock_block(args::parse(args), &block),
        Err(error) => error.to_compile_error().into_iter().chain(item).collect(),
    }
}

fn lock_function(args: Result<Args>, function: &Function) -> TokenStream {
    match validate::function(args, function) {
        Ok(args) => expand::function(&args, function, &lock::lock(&args, function)),
        Err(error) => expand::refuse(function, &error),
    }
}

fn lock_block(args: Result<Args>, block: &Block) -> TokenStream {
    let args = validate::block(args, block);
    let members = block.members.iter().map(|member| match member {
        Member::Function(method) => lock_method(args.as_ref().ok(), method, block),
        Member::Other(tokens) => tokens.clone(),
    });
    let members = members.collect();
    let error = both(args, block.readable.clone()).err();
    expand::block(block, &members, error.as_ref())
}

/// Its own arguments hold in place of the block's, which are `None` if they are wrong.
fn lock_method(args: Option<&Args>, method: &Method, block: &Block) -> TokenStream {
    let Method { function, own } = method;
    let args = match (own, args) {
        (Some(own), args) => args::of_attribute(own).map(|own| own.with_crate_of(args)),
        (None, Some(args)) if function.is_method() => {
            let lacks_none = validate::lacks_no_argument(args, function, block);
            lacks_none.map(|()| block.args_of(args, function))
        }
        (None, _) => return expand::unlocked(function),
    };
    match args {
        Ok(args) if args.is_skip() => expand::unlocked(function),
        args => lock_function(args, function),
    }
}
