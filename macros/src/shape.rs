//! What shape an expression of the user's has.

use crate::span::mixed;
use syn::{Expr, Token};

/// Whether it is no closure, as far as can be seen, nor has one at its end.
pub(crate) const fn is_value(expression: &Expr) -> bool {
    matches!(
        expression,
        Expr::Binary(_)
            | Expr::Call(_)
            | Expr::Field(_)
            | Expr::Lit(_)
            | Expr::MethodCall(_)
            | Expr::Path(_)
            | Expr::Struct(_)
            | Expr::Tuple(_)
            | Expr::Unary(_)
    )
}

/// `Locks::new(..)`, with any path before it and any of its builders behind.
pub(crate) fn made_here(space: &Expr) -> Option<&Expr> {
    match space {
        Expr::Reference(space) => made_here(&space.expr),
        Expr::Paren(space) => made_here(&space.expr),
        Expr::Group(space) => made_here(&space.expr),
        Expr::MethodCall(built) => made_here(&built.receiver).map(|_| space),
        Expr::Call(call) => match &*call.func {
            Expr::Path(function) => {
                let mut names = function.path.segments.iter().rev().map(|name| &name.ident);
                let is_new = names.next().is_some_and(|name| name == "new")
                    && names.next().is_some_and(|name| name == "Locks");
                is_new.then_some(space)
            }
            _ => None,
        },
        _ => None,
    }
}

/// A closure with `move`, since the function that it stands in returns before it is called.
pub(crate) fn moved(closure: &Expr) -> Expr {
    match closure {
        Expr::Closure(closure) => {
            let mut closure = closure.clone();
            closure.capture.get_or_insert(Token![move](mixed()));
            Expr::Closure(closure)
        }
        Expr::Group(group) => moved(&group.expr),
        Expr::Paren(group) => moved(&group.expr),
        other => other.clone(),
    }
}
