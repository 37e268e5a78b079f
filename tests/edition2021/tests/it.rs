//! What the edition of the annotated function could change, in edition 2021.

#[path = "../../tests/it/attribute/drop_order.rs"]
mod drop_order;

/// In this crate's edition the temporaries of a block's last expression drop after
/// its locals.
const TEMPORARIES_FIRST: bool = false;
