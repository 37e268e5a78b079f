//! Token soup: whatever stands in the attribute, above whatever item, and whatever type has
//! the derive, the answer is the item or an error, and never a panic.
//!
//! Half of the soup is random tokens. The other half is what users write, with some tokens
//! deleted, doubled, replaced, wrapped or unwrapped, which gets further into the parsers.
//!
//! `PROPTEST_CASES=500000 cargo test --release -p lockutils-macros soup` runs for about
//! ten minutes.

use crate::key;
use crate::pipeline::synchronized;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use syn::{DeriveInput, File, Item, ItemImpl};

const WORDS: &[&str] = &[
    "key",
    "keys",
    "locks",
    "shared",
    "external",
    "acquire_timeout",
    "nonblocking",
    "or_else",
    "when",
    "guard",
    "cancel_on_loss",
    "reentrant",
    "skip",
    "bound",
    "crate",
    "synchronized",
    "lock_key",
    "cfg_attr",
    "fn",
    "async",
    "move",
    "impl",
    "for",
    "where",
    "const",
    "unsafe",
    "extern",
    "default",
    "gen",
    "pub",
    "self",
    "Self",
    "struct",
    "enum",
    "union",
    "type",
    "dyn",
    "return",
    "mut",
    "r#fn",
    "Box",
    "pin",
    "Future",
    "T",
    "x",
    "=",
    "==",
    "=>",
    "->",
    ",",
    ";",
    ":",
    "::",
    "<",
    ">",
    "&",
    "#",
    "!",
    "|",
    "?",
    ".",
    "..",
    "...",
    "*",
    "'a",
    "0",
    "1.5",
    "5s",
    "'c'",
    "b\"x\"",
    "\"text\"",
    "\"vm-{id}\"",
    "\"{\"",
    "\"5s\"",
    "\"0ms\"",
    "\"{x.y}\"",
    "r#\"raw\"#",
    "c\"c\"",
];

const ARGS: &[&str] = &[
    "",
    "\"vm-{id}\", locks = self.locks, acquire_timeout = \"250ms\", or_else = |e| e",
    "key = (a, &self.b[0]), shared, nonblocking, guard = guard, crate = a::b",
    "keys = [from, to], acquire_timeout = f::<A, B>(), when = a == b",
    "\"vm-{id}\", locks = self.locks, when = a, or_else = |e| Err(e), cancel_on_loss",
    "key = id.await?, reentrant, locks = Locks::new(\"x\").fair()",
    "skip",
];

const ITEMS: &[&str] = &[
    "#[inline] pub(crate) async unsafe extern \"C\" fn f<'a, T: Copy, const N: usize>(&'a self,
        #[cfg(x)] (mut a, _): (u32, T), b: [u8; { N }]) -> Result<T, E> where T: Send
     { #![allow(unused)] let x = 1; run(a).await }",
    "fn f(id: u32) -> Pin<Box<dyn Future<Output = u32> + Send + 'static>>
     { let a = |x| x; ::std::boxed::Box::pin(async move { return a(id) }) }",
    "fn f(self: &mut Rc<Self>) -> impl Future<Output = ()> + use<'_> { async { loop {} } }",
    "/// doc
     #[synchronized(\"a\")] #[cfg_attr(x, synchronized)] const fn f() -> BoxFuture<'static, ()> { g() }",
    "unsafe impl<T> Trait<{ N }> for Vm<'_, T> where T: A {
        #![allow(x)]
        type Out = T; const A: &'static str = { \"a\" }; m! { x } n!(y);
        pub const fn new() -> Self { Self }
        #[synchronized(skip)] fn skipped(&self) {}
        #[doc = \"d\"] #[synchronized(key = a, crate = b)] #[must_use] fn own(self) -> u32 { 1 }
        async fn task(&mut self) -> u32 { 2 }
        default fn fut(&self) -> impl Future { async move {} }
        fn missing(&self);
     }",
    "impl Vm {}",
    "trait A { fn f(&self); }",
    "fn f<const N: usize>() -> A<{ N }>;",
];

const TYPES: &[&str] = &[
    "#[lock_key(crate = a::b)] pub struct S<'a, T: ?Sized + A = u32, const N: usize = 3>
     where T: B { #[lock_key(skip)] a: f64, b: &'a [T; N], pub(in x) r#type: T::Out, c: dyn A + B }",
    "struct S(#[lock_key(skip,)] pub u32, Box<S>);",
    "enum E<T> { A, #[x] B { a: T, #[lock_key(skip)] b: u32 } = 1, C(Box<Self>, E<T>), D() }",
    "enum Never {}",
    "union U { a: u32, b: f32 }",
    "struct Unit;",
];

/// A change of the token at some place, counted through all groups.
#[derive(Clone, Debug)]
enum Change {
    Delete,
    Double,
    Put(&'static str),
    Wrap(Delimiter),
    /// Of a group its inside.
    Unwrap,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Delete),
        Just(Change::Double),
        select(WORDS).prop_map(Change::Put),
        Just(Change::Wrap(Delimiter::None)),
        Just(Change::Wrap(Delimiter::Parenthesis)),
        Just(Change::Wrap(Delimiter::Brace)),
        Just(Change::Unwrap),
    ]
}

fn soup() -> impl Strategy<Value = String> {
    let word = select(WORDS).prop_map(str::to_owned);
    let group = |inside: BoxedStrategy<String>| {
        let brackets = select(&[("(", ")"), ("{", "}"), ("[", "]"), ("#[", "]")][..]);
        let inside = vec(inside, 0..6).prop_map(|words| words.join(" "));
        (brackets, inside).prop_map(|((open, close), inside)| format!("{open}{inside}{close}"))
    };
    let tree = word.prop_recursive(3, 24, 6, move |inside| group(inside.boxed()));
    vec(tree, 0..12).prop_map(|words| words.join(" "))
}

/// Random tokens, or one of `texts` with changes.
fn tokens(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    let changed = (select(texts), vec((any::<usize>(), change()), 0..6));
    let changed = changed.prop_map(|(text, changes)| {
        let tokens = text.parse::<TokenStream>().unwrap();
        let tokens = changes.into_iter().fold(tokens, |tokens, (at, change)| {
            let mut at = at % leaves(&tokens).len().max(1);
            changed_at(tokens, &mut at, &change)
        });
        spelled_out(&tokens)
    });
    prop_oneof![soup(), changed]
}

fn changed_at(tokens: TokenStream, at: &mut usize, change: &Change) -> TokenStream {
    let mut changed = TokenStream::new();
    for token in tokens {
        let is_here = *at == 0;
        *at = at.wrapping_sub(1);
        changed.extend(match (token, change) {
            (_, Change::Delete) if is_here => TokenStream::new(),
            (token, Change::Double) if is_here => [token.clone(), token].into_iter().collect(),
            (_, Change::Put(word)) if is_here => words(word),
            (token, Change::Wrap(Delimiter::None)) if is_here && !is_fragment(&token) => {
                token.into()
            }
            (token, Change::Wrap(delimiter)) if is_here => {
                TokenTree::from(Group::new(*delimiter, token.into())).into()
            }
            (TokenTree::Group(group), Change::Unwrap) if is_here => group.stream(),
            (TokenTree::Group(group), _) => {
                let inside = changed_at(group.stream(), at, change);
                TokenTree::from(Group::new(group.delimiter(), inside)).into()
            }
            (token, _) => token.into(),
        });
    }
    changed
}

/// Whether a `macro_rules` parameter may have stood for it, which has invisible delimiters.
fn is_fragment(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() != Delimiter::Bracket,
        TokenTree::Ident(_) | TokenTree::Literal(_) => true,
        TokenTree::Punct(_) => false,
    }
}

fn words(text: &str) -> TokenStream {
    // What is no token by itself is left out.
    text.parse().unwrap_or_default()
}

/// Text has no invisible delimiters, so they are spelled out as `invisible! ( .. )`.
fn spelled_out(tokens: &TokenStream) -> String {
    let spelled = tokens.clone().into_iter().map(|token| match token {
        TokenTree::Group(group) => {
            let inside = spelled_out(&group.stream());
            match group.delimiter() {
                Delimiter::None => format!("invisible! ({inside})"),
                Delimiter::Parenthesis => format!("({inside})"),
                Delimiter::Brace => format!("{{{inside}}}"),
                Delimiter::Bracket => format!("[{inside}]"),
            }
        }
        TokenTree::Punct(punct) if punct.spacing() == proc_macro2::Spacing::Joint => {
            punct.to_string()
        }
        token => format!("{token} "),
    });
    spelled.collect()
}

/// The tokens of a text, with the invisible delimiters back in place.
fn read(text: &str) -> TokenStream {
    fn invisible(tokens: TokenStream) -> TokenStream {
        let mut read: Vec<TokenTree> = Vec::new();
        for token in tokens {
            let TokenTree::Group(group) = token else {
                read.push(token);
                continue;
            };
            let inside = invisible(group.stream());
            let mut delimiter = group.delimiter();
            let is_marked = matches!(
                &*read,
                [.., TokenTree::Ident(word), TokenTree::Punct(_)] if word == "invisible"
            );
            if is_marked {
                read.truncate(read.len() - 2);
                delimiter = Delimiter::None;
            }
            read.push(Group::new(delimiter, inside).into());
        }
        read.into_iter().collect()
    }
    invisible(text.parse().unwrap_or_default())
}

/// The tokens without invisible delimiters, which may rightly be gone from the output.
fn visible(tokens: TokenStream) -> Vec<TokenTree> {
    let trees = tokens.into_iter().flat_map(|token| match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => visible(group.stream()),
        token => vec![token],
    });
    trees.collect()
}

/// The visible tokens in a row. Left out is what also may be gone: the attributes of methods
/// that stand instead of the block's, and a comma behind the argument of `Box::pin`.
fn leaves(tokens: &TokenStream) -> Vec<String> {
    let mut leaves = Vec::new();
    let mut tokens = visible(tokens.clone()).into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ',' => {}
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if tokens.next_if(is_of_this_crate).is_none() {
                    leaves.push("#".to_owned());
                }
            }
            TokenTree::Group(group) => {
                leaves.push(format!("{:?}", group.delimiter()));
                leaves.extend(self::leaves(&group.stream()));
                leaves.push("end".to_owned());
            }
            token => leaves.push(token.to_string()),
        }
    }
    leaves
}

fn is_of_this_crate(attribute: &TokenTree) -> bool {
    matches!(attribute, TokenTree::Group(_)) && attribute.to_string().contains("synchronized")
}

fn is_in_order(part: &[String], whole: &[String]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|leaf| whole.any(|other| other == leaf))
}

fn is_function_or_block(item: &TokenStream) -> bool {
    let parsed = syn::parse2::<Item>(item.clone());
    matches!(parsed, Ok(Item::Fn(_) | Item::Impl(_)))
}

proptest! {
    #[test]
    fn soup_of_an_attribute_leaves_the_item(args in tokens(ARGS), item in tokens(ITEMS)) {
        let (args, item) = (read(&args), read(&item));
        let output = synchronized(args, item.clone());
        prop_assert!(is_in_order(&leaves(&item), &leaves(&output)), "{}", output);
        if is_function_or_block(&item) {
            prop_assert!(syn::parse2::<File>(output.clone()).is_ok(), "{}", output);
        }
    }

    #[test]
    fn soup_of_a_derive_is_an_impl_or_an_error(item in tokens(TYPES)) {
        let item = read(&item);
        let output = key::derive(item.clone());
        if syn::parse2::<DeriveInput>(item).is_ok() {
            prop_assert!(syn::parse2::<ItemImpl>(output.clone()).is_ok(), "{}", output);
        } else {
            prop_assert!(output.to_string().contains("compile_error"), "{}", output);
        }
    }
}
