//! The annotated item: a function, or an `impl` block of such.

use crate::block::Block;
use crate::function::Function;
use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Result};

pub(crate) enum Item {
    Function(Box<Function>),
    Block(Block),
}

/// Parses a function with a body, or an `impl` block.
pub(crate) fn parse(item: TokenStream) -> Result<Item> {
    parse_item.parse2(item)
}

fn parse_item(input: ParseStream<'_>) -> Result<Item> {
    let attrs = input.call(Attribute::parse_outer)?;
    if Block::begins(input) {
        Block::parse(attrs, input).map(Item::Block)
    } else {
        let function = Function::parse(attrs, input)?;
        Ok(Item::Function(Box::new(function)))
    }
}
