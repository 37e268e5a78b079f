//! What the edition of the annotated function could change, in edition 2021; and every
//! argument there.

#[path = "../../tests/it/attribute/drop_order.rs"]
mod drop_order;

#[path = "../../tests/it/attribute"]
mod arguments {
    mod acquire_timeout;
    mod keys;
    mod later;
    mod nonblocking;
    mod or_else;
    mod when;
}

/// In this crate's edition the temporaries of a block's last expression drop after
/// its locals.
const TEMPORARIES_FIRST: bool = false;
