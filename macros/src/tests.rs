//! The whole way from the attribute's tokens to the function's.

use crate::pipeline::synchronized;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use std::{env, fs};
use syn::{File, Item, ItemFn, Meta, parse_quote};

/// The items of a module of `examples/expanded.rs`.
fn function_in(module: &str) -> ItemFn {
    let file: File = syn::parse_str(include_str!("../../examples/expanded.rs")).unwrap();
    let module = file.items.into_iter().find_map(|item| match item {
        Item::Mod(item) if item.ident == module => item.content,
        _ => None,
    });
    let (_, items) = module.unwrap();
    let function = items.into_iter().find_map(|item| match item {
        Item::Fn(function) => Some(function),
        _ => None,
    });
    function.unwrap()
}

fn pretty(function: TokenStream) -> String {
    let function: ItemFn = syn::parse2(function).unwrap();
    prettyplease::unparse(&parse_quote!(#function))
}

fn text(tokens: &TokenStream) -> String {
    tokens.to_string()
}

/// What the attribute makes of a function that has it.
fn expand(mut function: ItemFn) -> String {
    let args = match function.attrs.pop().unwrap().meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    };
    pretty(synchronized(args, quote!(#function)))
}

#[test]
fn example_shows_the_expansion() {
    let expanded = function_in("expanded");
    assert_eq!(expand(function_in("annotated")), pretty(quote!(#expanded)),);
}

/// The files of `snapshots` have a function each, and below it what becomes of it.
/// `EXPANSIONS=overwrite` writes that anew.
#[test]
fn expansions_are_those_of_the_snapshots() {
    const EXPANDS_TO: &str = "\n// Expands to:\n\n";
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots");
    let overwrite = env::var("EXPANSIONS").is_ok_and(|value| value == "overwrite");
    let mut seen = 0;
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let snapshot = fs::read_to_string(&path).unwrap();
        let (function, expected) = snapshot.split_once(EXPANDS_TO).unwrap_or((&snapshot, ""));
        let expanded = expand(syn::parse_str(function).unwrap());
        if overwrite {
            fs::write(&path, [function, EXPANDS_TO, &expanded].concat()).unwrap();
        } else {
            assert_eq!(expanded, expected, "{}", path.display());
        }
        seen += 1;
    }
    assert!(seen >= 10, "there are {seen} snapshots");
}

/// Every two arguments, in both orders: either they go together, or it is said that they
/// don't, once, and at the second of them.
#[test]
fn two_arguments_go_together_or_are_refused() {
    let arguments = [
        ("key", quote!(key = id)),
        ("keys", quote!(keys = [id])),
        ("locks", quote!(locks = VMS)),
        ("external", quote!(external)),
        ("shared", quote!(shared)),
        ("acquire_timeout", quote!(acquire_timeout = "5s")),
        ("nonblocking", quote!(nonblocking)),
        ("or_else", quote!(or_else = |_| ())),
        ("when", quote!(when = id > 5)),
        ("guard", quote!(guard = guard)),
        ("reentrant", quote!(reentrant)),
        ("crate", quote!(crate = a::b)),
    ];
    let refused = [
        ("key", "keys"),
        ("locks", "external"),
        ("acquire_timeout", "nonblocking"),
        ("when", "guard"),
        ("keys", "reentrant"),
    ];
    let function = quote!(
        fn start(id: u32) {}
    );
    for (one, first) in &arguments {
        for (other, second) in &arguments {
            // Without a key it is another rule that some arguments break.
            let key = [*one, *other].iter().all(|name| !name.starts_with("key"));
            let key = key.then(|| quote!(key = id,));
            let output = synchronized(quote!(#key #first, #second), function.clone());
            syn::parse2::<ItemFn>(output.clone()).unwrap();
            let output = text(&output);
            let errors = output.matches("compile_error").count();
            if one == other {
                assert!(output.contains("duplicate argument"), "{one}: {output}");
            } else if refused.contains(&(one, other)) || refused.contains(&(other, one)) {
                assert!(
                    output.contains("are mutually exclusive"),
                    "{one}, {other}: {output}"
                );
                assert_eq!(errors, 1, "{one}, {other}: {output}");
            } else {
                assert_eq!(errors, 0, "{one}, {other}: {output}");
            }
        }
    }
}

/// What can be lost is a lock of a space that is named, and its body is a task's.
#[test]
fn cancel_on_loss_goes_with_what_else_a_task_has() {
    let function = quote!(
        async fn start(id: u32) {}
    );
    let all = quote!(
        cancel_on_loss,
        key = id,
        locks = VMS,
        shared,
        acquire_timeout = "5s",
        or_else = |_| (),
        guard = guard
    );
    let when = quote!(
        keys = [id],
        locks = VMS,
        nonblocking,
        when = id > 5,
        cancel_on_loss
    );
    for args in [all, when] {
        let output = text(&synchronized(args.clone(), function.clone()));
        assert!(!output.contains("compile_error"), "{output}");
        assert_eq!(output.matches("until_lost").count(), 1, "{output}");
        assert!(!output.contains("HeldThroughout"), "{output}");
        let sync = text(&synchronized(
            args,
            quote!(
                fn start(id: u32) {}
            ),
        ));
        assert_eq!(sync.matches("compile_error").count(), 1, "{sync}");
    }
    let output = text(&synchronized(quote!("a", cancel_on_loss), function.clone()));
    assert_eq!(output.matches("compile_error").count(), 1, "{output}");
    let output = text(&synchronized(quote!("a", locks = VMS), function.clone()));
    assert!(output.contains("HeldThroughout"), "{output}");
    let output = text(&synchronized(quote!("a"), function));
    assert!(!output.contains("HeldThroughout"), "{output}");
}

#[test]
fn raw_name_is_the_same_argument() {
    let function = quote!(
        fn start(id: u32) {}
    );
    let output = text(&synchronized(
        quote!(r#key = id, r#shared),
        function.clone(),
    ));
    assert!(output.contains("Mode :: Shared"), "{output}");
    let output = text(&synchronized(quote!(r#key = id, key = id), function));
    assert!(output.contains("duplicate argument"), "{output}");
}

#[test]
fn half_typed_key_leaves_the_function_to_the_editor() {
    for args in [
        quote!(key =),
        quote!(key = cell.),
        quote!("vm-{cell.}"),
        quote!(keys = [cell.]),
        quote!("a", acquire_timeout = "5"),
        quote!("a", nonblocking, or_else = |error|),
        quote!("a", nonblocking, or_else = |error| error.),
        quote!("a", when = cell.),
        quote!("a", guard =),
        quote!("a", nonb),
    ] {
        let function = quote!(
            fn connect(cell: &Cell) -> u32 {
                cell.ports().len()
            }
        );
        let output = text(&synchronized(args, function));
        assert!(output.contains("compile_error"), "{output}");
        assert!(output.contains("cell . ports () . len ()"), "{output}");
    }
}

#[test]
fn half_typed_body_is_left_as_it_is() {
    let function = quote!(fn connect(id: u32) { let cell = self. ; cell. });
    let output = text(&synchronized(quote!("a"), function));
    assert!(
        output.contains("{ let cell = self . ; cell . }"),
        "{output}"
    );
    assert!(!output.contains("compile_error"), "{output}");
}

#[test]
fn half_typed_block_is_left_to_the_editor() {
    for args in [quote!(key =), quote!(key = self.), quote!("a")] {
        let block = quote!(
            impl Vm {
                fn start(&self) {
                    let cell = self. ; cell.
                }
                #[synchronized(key =)]
                fn stop(&self) {
                    self.
                }
                fn pause(&self, id: )
                fn resume(&self) {}
            }
        );
        let output = text(&synchronized(args, block));
        for part in [
            "let cell = self . ; cell .",
            "fn stop (& self) {",
            "fn pause (& self , id :) fn resume (& self) { }",
            "compile_error",
        ] {
            assert!(output.contains(part), "{output}");
        }
    }
}

#[test]
fn block_without_a_lock_is_given_back_as_it_was() {
    let block = quote! {
        #[a]
        impl<T> Trait<{ 1 }> for Vm<T> where T: A {
            #![b]
            type Out = T;
            const X: &'static str = { "x" };
            macro_call! { x }
            /// Documented.
            #[c] pub(crate) fn new<'a>(id: &'a u32) -> Self { #![d] Self(id) }
            #[synchronized(skip)]
            pub fn skipped(&self) {}
        }
    };
    let expected = text(&block).replace("# [synchronized (skip)] ", "");
    assert_eq!(text(&synchronized(quote!("a"), block)), expected);
}

#[test]
fn what_stable_rust_has_no_syntax_for_is_refused() {
    for (item, message) in [
        (
            quote!(
                gen fn numbers() {
                    yield 1;
                }
            ),
            "a `gen fn`",
        ),
        (
            quote!(
                async gen fn numbers() {
                    yield 1;
                }
            ),
            "a `gen fn`",
        ),
        (quote!(move || 1), "found a closure"),
        (quote!(async |x| x), "found a closure"),
        (quote!(let x = 1;), "expected a function"),
        (quote!(fn), "expected"),
        (quote!(), "expected a function"),
    ] {
        let output = text(&synchronized(TokenStream::new(), item));
        assert!(output.contains(message), "{output}");
    }
}

/// Whatever is missing, the answer is a function or an error, never a panic.
#[test]
fn every_part_may_be_missing() {
    let args = quote! {
        "vm-{id}",
        locks = self.locks,
        shared,
        acquire_timeout = "5s",
        nonblocking,
        or_else = |error| error.kind(),
        when = id > 5,
        guard = guard,
        reentrant,
        crate = a::b,
    };
    let items = [
        quote! {
            #[inline]
            pub(crate) async unsafe extern "C" fn start<T: Copy>(&self, id: u32) -> T
            where
                T: Send,
            {
                #![allow(unused)]
                run(id).await
            }
        },
        quote! {
            fn start(id: u32) -> Pin<Box<dyn Future<Output = u32> + Send>> {
                let next = id + 1;
                ::std::boxed::Box::pin(async move { next },)
            }
        },
    ];
    for item in items {
        for item in with_one_missing(&item) {
            synchronized(args.clone(), item);
        }
        for args in with_one_missing(&args) {
            let output = synchronized(args, item.clone());
            syn::parse2::<ItemFn>(output).unwrap();
        }
    }
}

/// The tokens without each of them in turn, also inside of groups.
fn with_one_missing(tokens: &TokenStream) -> Vec<TokenStream> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut all = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let with = |replacement: Option<TokenTree>| {
            let (before, after) = (&tokens[..at], &tokens[at + 1..]);
            let before = before.iter().cloned().chain(replacement);
            before.chain(after.iter().cloned()).collect()
        };
        all.push(with(None));
        if let TokenTree::Group(group) = token {
            for inside in with_one_missing(&group.stream()) {
                let group = Group::new(group.delimiter(), inside);
                all.push(with(Some(group.into())));
            }
            let invisible = Group::new(Delimiter::None, TokenTree::from(group.clone()).into());
            all.push(with(Some(invisible.into())));
        }
    }
    all
}
