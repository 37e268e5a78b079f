//! What can't be locked: one function and one message a rule.

use crate::args::Args;
use crate::block::Block;
use crate::errors::{all, both};
use crate::function::{Function, is_synchronized, may_be_synchronized};
use crate::future::{Future, find_exit, is_punct, is_word};
use crate::lazy::{Kind, lazy};
use crate::legal::EXCLUSIVE;
use crate::names;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Error, Path, Result};

/// Gives the arguments if no rule is broken, else every error there is.
pub(crate) fn function(args: Result<Args>, function: &Function) -> Result<Args> {
    is_not_locked(function)?;
    let rules = all([
        args.as_ref()
            .map_or(Ok(()), |args| reenters_as_a_thread(args, function)),
        args.as_ref()
            .map_or(Ok(()), |args| is_cancelled_as_a_task(args, function)),
        is_not_const(function),
        is_not_variadic(function),
        is_not_naked(function),
        is_annotated_once(
            &function.attrs,
            "duplicate `#[synchronized]`; a function takes one, so move what the other locks into a function of its own",
        ),
        runs_during_the_call(function),
        returns_no_other_future(function),
        args.as_ref()
            .map_or(Ok(()), |args| stays_in_the_call(args, function)),
    ]);
    both(args.and_then(arguments), rules).map(|(args, ())| args)
}

/// The same for an `impl` block, without what depends on the method.
pub(crate) fn block(args: Result<Args>, block: &Block) -> Result<Args> {
    let rules = all([
        is_annotated_once(
            &block.attrs,
            "duplicate `#[synchronized]`; an `impl` block takes one, so remove the other, or move it to a method",
        ),
        has_methods(block),
    ]);
    both(args.and_then(arguments), rules).map(|(args, ())| args)
}

/// The rules for the arguments alone.
fn arguments(args: Args) -> Result<Args> {
    all([
        go_together(&args),
        space_has_key(&args),
        sharers_have_key(&args),
        lost_locks_are_of_a_space(&args),
        skips_nothing(&args),
    ])
    .map(|()| args)
}

fn go_together(args: &Args) -> Result<()> {
    all(EXCLUSIVE.map(|(one, other, remedy)| {
        let both = args.has(one) && args.has(other);
        let is_one_of_them = |name: &&Ident| *name == one || *name == other;
        let second = args.names.iter().rfind(is_one_of_them);
        let message = format!("arguments `{one}` and `{other}` are mutually exclusive; {remedy}");
        refuse(second.filter(|_| both), &message)
    }))
}

fn space_has_key(args: &Args) -> Result<()> {
    let is_missing = args.key.is_none();
    all([
        refuse(
            args.locks.as_ref().filter(|_| is_missing),
            "missing key, expected a text or `key = ..` beside it; for one lock for all callers write `key = \"\"`",
        ),
        refuse(
            args.named("external").filter(|_| is_missing),
            "missing key, expected a text or `key = ..` beside it; it names the lock file, so for one lock for all callers choose a name",
        ),
    ])
}

/// A function's own lock is only ever held by the function.
fn sharers_have_key(args: &Args) -> Result<()> {
    let shared = args.named("shared");
    refuse(
        shared.filter(|_| args.key.is_none()),
        "a shared hold of the function's own lock excludes nobody; add a key that other functions hold exclusively",
    )
}

/// The type of another space decides.
fn lost_locks_are_of_a_space(args: &Args) -> Result<()> {
    let cancel = args.named("cancel_on_loss");
    refuse(
        cancel.filter(|_| args.locks.is_none()),
        "a lock of this process, or a lock file, can't be lost while the body runs; remove `cancel_on_loss`, or name a space whose locks can be, `locks = SPACE`",
    )
}

/// Where a method is skipped, its arguments don't get here.
fn skips_nothing(args: &Args) -> Result<()> {
    refuse(
        args.named("skip"),
        "`skip` stands alone, above a method of an `impl` block that is synchronized; remove it",
    )
}

/// The argument of this name, or the method where it is that of all methods.
fn named_for<'a>(name: &str, args: &'a Args, function: &'a Function) -> Option<&'a Ident> {
    let argument = args.named(name)?;
    Some(if function.is_in_block {
        &function.sig.ident
    } else {
        argument
    })
}

/// A thread can't be stopped where it is.
fn is_cancelled_as_a_task(args: &Args, function: &Function) -> Result<()> {
    let cancel = named_for("cancel_on_loss", args, function);
    refuse_in(
        function,
        cancel.filter(|_| !function.is_async()),
        "the body of a sync function can't be stopped; write `guard = lease` in place of `cancel_on_loss`, and call `lease.check()?` between its steps",
    )
}

/// In async code two branches of one `join!` look like a call in a call.
fn reenters_as_a_thread(args: &Args, function: &Function) -> Result<()> {
    let reentrant = named_for("reentrant", args, function);
    refuse_in(
        function,
        reentrant.filter(|_| function.is_async()),
        "a task cannot re-enter a lock; move the body into a function without `#[synchronized]`, and call that one where the lock is held",
    )
}

fn is_not_const(function: &Function) -> Result<()> {
    refuse_in(
        function,
        function.sig.constness,
        "a `const fn` cannot be synchronized, since it may run in the compiler; remove `const`",
    )
}

fn is_not_variadic(function: &Function) -> Result<()> {
    refuse_in(
        function,
        function.sig.variadic.as_ref(),
        "a variadic function cannot be synchronized; annotate a function that it calls",
    )
}

fn is_not_naked(function: &Function) -> Result<()> {
    let is_naked = |attr: &&Attribute| {
        let inside = attr
            .path()
            .is_ident("unsafe")
            .then(|| attr.parse_args::<Path>());
        inside.is_some_and(|path| path.is_ok_and(|path| path.is_ident("naked")))
    };
    let naked = function.attrs.iter().find(is_naked);
    refuse_in(
        function,
        naked,
        "a naked function cannot be synchronized, since its body is assembly alone; annotate a function that calls it",
    )
}

/// Under another name a second attribute isn't seen by the first, nor a method's by that of
/// its block. Then it stands before what the first made of the body.
fn is_not_locked(function: &Function) -> Result<()> {
    let is_locked = is_locked(function.body.stream());
    let message = "this function is locked already, by its `impl` block or by another attribute, which know this one by its name alone; import it as `synchronized`";
    if is_locked {
        return Err(Error::new(Span::call_site(), message));
    }
    Ok(())
}

/// Whether one of the calls is there that [`lock`](crate::lock) writes.
fn is_locked(tokens: TokenStream) -> bool {
    let mut last: [Option<Ident>; 2] = [None, None];
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => is_locked(group.stream()),
        TokenTree::Ident(word) => {
            last.rotate_left(1);
            last[1] = Some(word);
            matches!(&last, [Some(module), Some(made)]
                if module == "__private" && (made == "Function" || made == "Own"))
        }
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn is_annotated_once(attrs: &[Attribute], message: &str) -> Result<()> {
    refuse(attrs.iter().find(|attr| is_synchronized(attr)), message)?;
    refuse(
        attrs.iter().find(|attr| may_be_synchronized(attr)),
        "this may be a second `#[synchronized]`; write the item twice, each with a `#[cfg(..)]`",
    )
}

/// An argument that the block's own name, where this method has it not and others have: the
/// compiler would say that there is no such value, and not where. This is only for what can be
/// nothing else; of other names the compiler decides, see `Block::args_of`.
pub(crate) fn lacks_no_argument(args: &Args, method: &Function, block: &Block) -> Result<()> {
    let own = names::parameters(method);
    let others: Vec<_> = block.methods().flat_map(names::bound).collect();
    let lacks = |name: &Ident| others.contains(name) && !own.contains(name);
    let Some(name) = args.names_of_values(names::plain).into_iter().find(lacks) else {
        return Ok(());
    };
    let method = &method.sig.ident;
    let message = format!(
        "the block's attribute names the argument `{name}`, which `{method}` doesn't have; leave the method out with `#[synchronized(skip)]`, or give it an attribute of its own"
    );
    refuse(Some(method), &message)
}

/// Else the attribute would lock nothing.
fn has_methods(block: &Block) -> Result<()> {
    let culprit = block
        .impl_token()
        .filter(|_| block.methods().next().is_none());
    refuse(
        culprit,
        "nothing in this block takes `self`, so nothing of it is locked; annotate its functions instead",
    )
}

/// A future or stream that the call returns would run after the lock is released. Where only
/// a type's name says that it is one, the expansion asks the compiler.
fn runs_during_the_call(function: &Function) -> Result<()> {
    let lazy = lazy(function);
    let Some(lazy) = lazy.iter().find(|lazy| !lazy.is_named) else {
        return Ok(());
    };
    let message = match lazy.kind {
        Kind::Stream => {
            "the lock would be released before the stream runs; take it where the stream is consumed"
        }
        Kind::Future if function.is_async() => {
            "the lock would be released before the returned future runs; await it in the function and return its output"
        }
        Kind::Future => {
            "the lock would be released before the future runs; make it an `async fn`, or end the body in `async move { .. }` or `Box::pin(async move { .. })`"
        }
    };
    refuse_in(function, Some(lazy.ty), message)
}

/// Before the `async` block that a body ends in, a `return` would give a future
/// that doesn't lock. Where it can't be seen here, the compiler is told to look for it.
fn returns_no_other_future(function: &Function) -> Result<()> {
    let future = function.future.as_ref();
    let is_return = |token: &TokenTree| is_word(token, "return");
    refuse_in(
        function,
        future.and_then(|future| find_exit(future.statements.clone(), is_return)),
        "this future would run without the lock; return from inside the `async` block that the body ends in",
    )
}

/// Where statements stand before that block, the arguments are evaluated ahead of these.
fn stays_in_the_call(args: &Args, function: &Function) -> Result<()> {
    if !function
        .future
        .as_ref()
        .is_some_and(Future::is_behind_statements)
    {
        return Ok(());
    }
    let leaves = |token: &TokenTree| {
        is_punct(token, '?') || ["await", "return"].iter().any(|word| is_word(token, word))
    };
    all(args.expressions().map(|expression| {
        refuse(
            find_exit(expression.to_token_stream(), leaves),
            "this would be evaluated at the call, as the statements before the `async` block are, where no future runs yet; move the statements into the block",
        )
    }))
}

fn refuse(culprit: Option<impl ToTokens>, message: &str) -> Result<()> {
    match culprit {
        Some(culprit) => Err(Error::new_spanned(culprit, message)),
        None => Ok(()),
    }
}

/// [`refuse`], for what a method may be left out for.
fn refuse_in(function: &Function, culprit: Option<impl ToTokens>, message: &str) -> Result<()> {
    if !function.is_in_block {
        return refuse(culprit, message);
    }
    let message = format!("{message}, or leave the method out with `#[synchronized(skip)]`");
    refuse(culprit, &message)
}
