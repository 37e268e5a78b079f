//! Writes the statements that take the lock:
//!
//! ```text
//! let __begun = lockutils::__private::begin_global(&(KEY), FUNCTION);
//! let __guard = __begun.lock();
//! ```
//!
//! - The key is evaluated in a statement before the one that waits, so that nothing of
//!   its expression is held while it does, nor lives across an `.await`.
//! - With a timeout or as a try, the second statement is another call. In an async function
//!   the first is, which is told the task, and what it gives is awaited. Where a space is named, the
//!   first is a method of the trait `Space`, and the second one that can fail.
//! - Where more is asked for than an exclusive lock of a key of the process-wide space, or the function's
//!   own, the first statement says so: the space, the mode and the site. Most don't, and for each
//!   argument the compiler takes its time.
//! - Where the lock can fail, the second is a `match` that returns.
//! - A guard that the user doesn't see is asked whether its lock can be lost, which must not
//!   be. See [`cancel`](crate::cancel) for what the user can say of it.
//! - Several keys are put into a list first. Where the lock has a condition, all of it
//!   stands in an `if`.
//! - Where statements stand before the block that is to hold the lock, they could declare
//!   what the user's expressions name, or change it. So these are evaluated ahead of them,
//!   and what they gave goes into the block: the key, or, where there is a space too, what
//!   waits for it, which borrows nothing.
//! - Names have mixed-site hygiene: user code can neither see nor shadow them.
//! - What the user wrote keeps its span; around it the new tokens have spans that
//!   let the compiler underline exactly the key, the space or the return type.

use crate::args::{Args, Key};
use crate::cancel::Cancel;
use crate::format;
use crate::function::Function;
use crate::future::Future;
use crate::lazy::output;
use crate::names;
use crate::shape::{is_value, made_here, moved};
use crate::span::{ends, mixed, parenthesized, reference, spread};
use crate::timeout::Timeout;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::{Expr, ReturnType};

/// The statements that take the lock.
pub(crate) struct Lock {
    /// Evaluates what the user wrote in the attribute, where that is done at the call.
    pub(crate) ahead: TokenStream,
    /// Takes the lock.
    pub(crate) take: TokenStream,
    /// Drops the body when the lock is lost.
    pub(crate) cancel: Option<Cancel>,
}

/// Writes them for the function.
pub(crate) fn lock(args: &Args, function: &Function) -> Lock {
    let future = function.future.as_ref();
    let writer = Writer {
        args,
        function,
        is_async: function.is_async(),
        is_later: future.is_some_and(Future::is_behind_statements),
        place: args.locks.as_ref().map_or((mixed(), mixed()), ends),
    };
    if writer.is_later {
        writer.later()
    } else {
        Lock {
            ahead: TokenStream::new(),
            take: writer.at_once(),
            cancel: writer.cancel(),
        }
    }
}

struct Writer<'a> {
    args: &'a Args,
    function: &'a Function,
    is_async: bool,
    /// Whether the arguments are evaluated ahead.
    is_later: bool,
    /// Where the calls stand: where the user's space does, so that one that is no space
    /// is reported there, and once.
    place: (Span, Span),
}

impl Writer<'_> {
    fn at_once(&self) -> TokenStream {
        let timeout = self.timeout();
        let begin = match &self.args.key {
            Some(Key::All(keys)) => self.begin_all(keys),
            key if self.is_async => self.begin_async(key.as_ref()),
            key => self.begin_one(key.as_ref()),
        };
        let guard = self.guard();
        let lock = quote_spanned!(mixed()=> #timeout #begin #guard);
        match &self.args.when {
            None => lock,
            Some(when) => on_condition(&parenthesized(when), &lock),
        }
    }

    fn later(&self) -> Lock {
        let timeout = self.timeout().map(|timeout| ("__timeout", timeout));
        let or_else = self.args.or_else.as_ref();
        let or_else = or_else.map(|or_else| ("__or_else", self.keep(or_else)));
        let evaluated = self.evaluate();
        let begin = match evaluated {
            Some(("__begun", _)) => TokenStream::new(),
            Some(_) => self.begin_async_of(&quote_spanned!(mixed()=> &__key)),
            None => self.begin_async(self.args.key.as_ref()),
        };
        let guard = self.guard();
        let take = quote_spanned!(mixed()=> #begin #guard);
        let (names, ahead): (Vec<_>, TokenStream) = [timeout, evaluated, or_else]
            .into_iter()
            .flatten()
            .map(|(name, statement)| (Ident::new(name, mixed()), statement))
            .unzip();
        let Some(when) = &self.args.when else {
            let cancel = self.cancel();
            return Lock {
                ahead,
                take,
                cancel,
            };
        };
        let when = parenthesized(when);
        let values = quote_spanned!(mixed()=> ::core::option::Option::Some((#(#names,)*)));
        let asked = quote_spanned!(mixed()=> let #values = __asked);
        let take = if self.is_kept_on_condition() {
            on_condition_with_or_else(&asked, &take)
        } else {
            on_condition(&asked, &take)
        };
        Lock {
            ahead: quote_spanned! {mixed()=>
                let __asked = if #when {
                    #ahead
                    #values
                } else {
                    ::core::option::Option::None
                };
            },
            take,
            cancel: self.cancel(),
        }
    }

    /// What is to be done with the key and the space ahead of the lock, and the name of what
    /// comes of it. A text in the process-wide space can't be anything else later.
    fn evaluate(&self) -> Option<(&'static str, TokenStream)> {
        let private = self.private(mixed());
        match (&self.args.key, &self.args.locks) {
            (Some(Key::All(keys)), _) => Some(("__begun", self.begin_all(keys))),
            (key, Some(_)) => {
                let wait = self.call_space("wait", &self.key_reference(key.as_ref()), None);
                let begin = quote_spanned!(mixed()=> let __begun = #private::waiting(#wait););
                Some(("__begun", begin))
            }
            (None | Some(Key::Text(_)), None) => None,
            (key, None) => {
                let key = self.key_reference(key.as_ref());
                Some((
                    "__key",
                    quote_spanned!(mixed()=> let __key = #private::key(#key);),
                ))
            }
        }
    }

    fn timeout(&self) -> Option<TokenStream> {
        let (name, value) = match self.args.acquire_timeout.as_ref()? {
            Timeout::Literal(duration) => {
                let (seconds, nanoseconds) = (duration.as_secs(), duration.subsec_nanos());
                let private = self.private(mixed());
                let value = quote_spanned! {mixed()=>
                    #private::Duration::new(#seconds, #nanoseconds)
                };
                (mixed(), value)
            }
            Timeout::Value { name, value } => (name.span(), value.to_token_stream()),
        };
        // A value of another type is told what is expected by this name.
        let at = mixed().located_at(name);
        let private = self.private(at);
        let ty = quote_spanned!(at=> #private::Duration);
        Some(quote_spanned!(mixed()=> let __timeout: #ty = #value;))
    }

    fn begin_one(&self, key: Option<&Key>) -> TokenStream {
        let begin = self.begin(&self.key_reference(key), None);
        quote_spanned!(mixed()=> let __begun = #begin;)
    }

    fn begin_async(&self, key: Option<&Key>) -> TokenStream {
        self.begin_async_of(&self.key_reference(key))
    }

    fn begin_async_of(&self, key: &TokenStream) -> TokenStream {
        let private = self.private(mixed());
        let task = quote_spanned!(mixed()=> __task);
        let begin = self.begin(key, Some(&task));
        quote_spanned! {mixed()=>
            let __task = #private::Task::current().await;
            let __begun = #begin;
        }
    }

    fn begin_all(&self, keys: &Expr) -> TokenStream {
        let private = self.private(mixed());
        let (first, last) = ends(keys);
        let key = Ident::new("__key", last);
        let key = quote_spanned!(first=> &#key);
        let keys = parenthesized(keys);
        let begun = if self.is_async {
            let moved = quote_spanned!(mixed()=> __keys.into_vec());
            let wait = self.call_space("wait_all", &moved, None);
            // A future is to be small.
            quote_spanned!(mixed()=> #private::waiting(#wait))
        } else {
            self.call_space("begin_all", &quote_spanned!(mixed()=> &__keys), None)
        };
        quote_spanned! {mixed()=>
            let __begun = {
                let mut __keys = #private::Keys::new();
                for __key in #keys {
                    #private::add(&mut __keys, #key);
                }
                #begun
            };
        }
    }

    /// A reference to the key. That of a function's own lock has no text.
    fn key_reference(&self, key: Option<&Key>) -> TokenStream {
        match key {
            None => quote_spanned!(mixed()=> &""),
            Some(Key::Text(text)) => reference(text),
            Some(Key::Format(text)) => {
                let (names, shown) = (
                    names::parameters(self.function),
                    names::shown(self.function),
                );
                let pieces = format::in_pieces(text, &names, &shown, &self.private(mixed()));
                reference(&pieces.unwrap_or_else(|| format::whole(text)))
            }
            Some(Key::Value(value) | Key::All(value)) => reference(value),
        }
    }

    /// Begins to take one lock, in an async function for the task.
    fn begin(&self, key: &TokenStream, task: Option<&TokenStream>) -> TokenStream {
        let elsewhere = ["locks", "external", "shared", "reentrant"];
        if elsewhere.iter().any(|name| self.args.has(name)) {
            let method = match task {
                Some(_) => "begin_async",
                None if self.args.has("reentrant") => "begin_reentrant",
                None => "begin",
            };
            return self.call_space(method, key, task);
        }
        let (private, name) = (self.private(mixed()), self.name());
        let (method, what) = if self.args.key.is_some() {
            let function = quote_spanned!(mixed()=> const { &#private::Function::new(#name) });
            ("begin_global", quote_spanned!(mixed()=> #key, #function))
        } else {
            let (ty, path) = (quote_spanned!(mixed()=> #private::Own), self.path());
            (
                "begin_own",
                own(&ty, &quote_spanned!(mixed()=> #path, #name)),
            )
        };
        let task = task.into_iter();
        let asyncness = if self.is_async { "_async" } else { "" };
        let method = Ident::new(&format!("{method}{asyncness}"), mixed());
        quote_spanned!(mixed()=> #private::#method(#what #(, #task)*))
    }

    fn call_space(
        &self,
        method: &str,
        key: &TokenStream,
        task: Option<&TokenStream>,
    ) -> TokenStream {
        let (first, last) = self.place;
        let private = self.private(first);
        // For a space of this process there are functions, which are compiled faster.
        let has_function = matches!(method, "begin" | "begin_reentrant" | "begin_async");
        let by_trait = !has_function || self.args.locks.is_some() || self.args.has("external");
        let by_trait = by_trait.then(|| quote_spanned!(last=> ::Space));
        let method = Ident::new(method, last);
        let (space, mode, site) = (self.space(), self.mode(), self.site());
        let task = task.into_iter();
        quote_spanned!(last=> #private #by_trait::#method(#space, #key, #mode, #site #(, #task)*))
    }

    fn space(&self) -> TokenStream {
        let private = self.private(mixed());
        match (&self.args.locks, &self.args.key) {
            (Some(space), _) => self.sharable(match made_here(space) {
                Some(made) => self.lasting(made),
                None => reference(space),
            }),
            (None, _) if self.args.has("external") => {
                quote_spanned!(mixed()=> #private::external())
            }
            (None, Some(_)) => quote_spanned!(mixed()=> #private::global()),
            (None, None) => {
                let locks = quote_spanned!(mixed()=> #private::Locks);
                own(&locks, &self.path())
            }
        }
    }

    /// A space that is made in the expression is another at each call. Only a name says that
    /// it is one, so the compiler is asked.
    fn lasting(&self, made: &Expr) -> TokenStream {
        let (first, last) = ends(made);
        let private = self.private(first);
        let answer = quote_spanned!(last=> #private::Given::new(#made).space());
        quote_spanned!(last=> #private::LivesOn::checked(#answer))
    }

    /// Where `shared` is written, only a space will do whose engine has shared locks.
    fn sharable(&self, space: TokenStream) -> TokenStream {
        if !self.args.has("shared") {
            return space;
        }
        let (first, last) = self.place;
        let private = self.private(first);
        quote_spanned!(last=> #private::sharable(#space))
    }

    fn mode(&self) -> TokenStream {
        let private = self.private(mixed());
        if self.args.has("shared") {
            quote_spanned!(mixed()=> #private::Mode::Shared)
        } else {
            quote_spanned!(mixed()=> #private::Mode::Exclusive)
        }
    }

    fn site(&self) -> TokenStream {
        let (first, last) = self.place;
        let (private, name) = (self.private(first), self.name());
        quote_spanned!(last=> #private::site(const { &#private::Function::new(#name) }))
    }

    fn name(&self) -> String {
        self.function.sig.ident.unraw().to_string()
    }

    /// The function's path, which is a text for the compiler to make.
    fn path(&self) -> TokenStream {
        let name = format!("::{}", self.name());
        quote_spanned!(mixed()=> ::core::concat!(::core::module_path!(), #name))
    }

    /// The statement that binds the guard.
    fn guard(&self) -> TokenStream {
        let result = self.wait();
        let name = self.guard_name(mixed());
        if self.is_plain() {
            return quote_spanned!(mixed()=> let #name = #result;);
        }
        if !self.args.can_fail() {
            // The failure has no value, so there is nothing else to match.
            return quote_spanned!(mixed()=> let ::core::result::Result::Ok(#name) = #result;);
        }
        let give_up = self.give_up();
        let stays_held = self.stays_held();
        quote_spanned! {mixed()=>
            let #name = match #result {
                ::core::result::Result::Ok(__guard) => __guard,
                ::core::result::Result::Err(__failure) => { return #give_up }
            };
            #stays_held
        }
    }

    /// Whether it is one lock of this process, which is waited for as long as it takes.
    fn is_plain(&self) -> bool {
        !self.args.can_fail() && !matches!(self.args.key, Some(Key::All(_)))
    }

    fn guard_name(&self, place: Span) -> TokenStream {
        let hidden = || quote_spanned!(place=> __guard);
        let name = self.args.guard.as_ref();
        name.map_or_else(hidden, ToTokens::to_token_stream)
    }

    /// What to return for the failure.
    fn give_up(&self) -> TokenStream {
        match &self.args.or_else {
            Some(or_else) => self.call(or_else),
            None => self.convert(),
        }
    }

    /// A statement that doesn't compile if the lock can be lost, where nobody looks after that.
    fn stays_held(&self) -> Option<TokenStream> {
        let is_seen = self.args.guard.is_some() || self.args.has("cancel_on_loss");
        if is_seen || self.args.locks.is_none() {
            return None;
        }
        let (first, last) = self.place;
        let private = self.private(first);
        let guard = quote_spanned!(last=> &__guard);
        let answer = quote_spanned!(last=> #private::Unseen::new(#guard).stays_held());
        Some(quote_spanned!(last=> #private::HeldThroughout::check(#answer);))
    }

    /// What drops the body when the lock is lost.
    fn cancel(&self) -> Option<Cancel> {
        let at = mixed().located_at(self.args.named("cancel_on_loss")?.span());
        let private = self.private(at);
        let guard = self.guard_name(at);
        let lost = quote_spanned!(at=> #private::CanBeLost::lost(&#guard));
        let failure = if self.is_kept_on_condition() {
            quote_spanned!(mixed()=> #private::or_else_of_taken(__failure, __or_else))
        } else {
            self.give_up()
        };
        let parts = [self.private(mixed()), lost, failure];
        Some(Cancel::new(self.args, self.function, self.is_later, parts))
    }

    /// Whether what the user says to return is there only if the condition is true.
    fn is_kept_on_condition(&self) -> bool {
        let Args { when, or_else, .. } = self.args;
        self.is_later && when.is_some() && or_else.is_some() && self.args.has("cancel_on_loss")
    }

    /// What waits or tries, and gives the guard or the failure.
    fn wait(&self) -> TokenStream {
        let (_, last) = self.place;
        let begun = Ident::new("__begun", last);
        if self.is_async && self.is_plain() {
            return quote_spanned!(last=> #begun.await);
        }
        let lock = match (self.is_async, self.is_plain()) {
            (false, true) => "lock",
            (false, false) => "block",
            (true, _) => "wait",
        };
        let [for_some_time, now] = if self.is_async {
            ["timed", "try_async"]
        } else {
            ["block_for", "try_now"]
        };
        let (wait, timeout) = if self.args.has("nonblocking") {
            (now, None)
        } else if self.args.acquire_timeout.is_some() {
            (for_some_time, Some(quote_spanned!(mixed()=> __timeout)))
        } else {
            (lock, None)
        };
        let wait = Ident::new(wait, last);
        let awaited = self.is_async.then(|| quote_spanned!(last=> .await));
        quote_spanned!(last=> #begun.#wait(#timeout) #awaited)
    }

    /// Returns what the argument `or_else` makes of the failure.
    fn call(&self, value: &Expr) -> TokenStream {
        let (first, last) = ends(value);
        let private = self.private(first);
        let failure = quote_spanned!(mixed()=> __failure);
        let kept = quote_spanned!(mixed()=> __or_else);
        let or_else = if self.is_later {
            kept
        } else {
            value.to_token_stream()
        };
        if !self.is_later && is_value(value) {
            return quote_spanned!(last=> #private::OrElse::give(#or_else, #failure));
        }
        quote_spanned!(last=> #private::or_else(#failure, #or_else))
    }

    /// Keeps the argument `or_else` until there is a failure.
    fn keep(&self, or_else: &Expr) -> TokenStream {
        let (first, last) = ends(or_else);
        let private = self.private(first);
        let kept = if is_value(or_else) {
            quote_spanned!(last=> #private::OrElse::kept(#or_else))
        } else {
            let or_else = moved(or_else);
            quote_spanned!(last=> #private::kept(#or_else))
        };
        quote_spanned!(mixed()=> let __or_else = #kept;)
    }

    /// Makes the return type of the failure, with the span of that type, since that is
    /// what has to have a place for it.
    fn convert(&self) -> TokenStream {
        let sig = &self.function.sig;
        let place = match &sig.output {
            ReturnType::Default => sig.ident.to_token_stream(),
            ReturnType::Type(_, ty) => output(self.function).unwrap_or(ty).to_token_stream(),
        };
        let (first, last) = ends(&place);
        let private = self.private(first);
        let failure = spread("__failure", (first, last));
        quote_spanned!(last=> #private::FromFailure::from_failure(#failure))
    }

    fn private(&self, place: Span) -> TokenStream {
        private(self.args, place)
    }
}

/// The module of the runtime that is for expanded code. The user's own path keeps
/// its place.
pub(crate) fn private(args: &Args, place: Span) -> TokenStream {
    let Some(path) = &args.krate else {
        return quote_spanned!(place=> ::lockutils::__private);
    };
    let (_, last) = ends(path);
    let private = quote_spanned!(last=> ::__private);
    quote!(#path #private)
}

/// A `static` of the function, in a block where the user's code can't see it.
fn own(ty: &TokenStream, arguments: &TokenStream) -> TokenStream {
    quote_spanned! {mixed()=>
        {
            static OWN: #ty = #ty::new(#arguments);
            &OWN
        }
    }
}

/// The lock, where the condition is true.
fn on_condition(condition: &impl ToTokens, lock: &TokenStream) -> TokenStream {
    quote_spanned! {mixed()=>
        let __guard = if #condition {
            #lock
            ::core::option::Option::Some(__guard)
        } else {
            ::core::option::Option::None
        };
    }
}

/// The same, which keeps what the user says to return, for a loss.
fn on_condition_with_or_else(condition: &impl ToTokens, lock: &TokenStream) -> TokenStream {
    quote_spanned! {mixed()=>
        let (__guard, __or_else) = if #condition {
            #lock
            (::core::option::Option::Some(__guard), ::core::option::Option::Some(__or_else))
        } else {
            (::core::option::Option::None, ::core::option::Option::None)
        };
    }
}
