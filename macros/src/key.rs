//! `#[derive(LockKey)]`: writes down how a type's values are written as keys.
//!
//! A struct is one variant, an enum has several; a variant is the fields that are part
//! of the key. What is written for it is
//!
//! - its name, where it has no fields, which is text at hand,
//! - its field, where it is a struct of one, so that a newtype costs what its field does,
//! - else the tuple of its fields, with the variant's name before them in an enum, so that
//!   no two variants are one key.
//!
//! [`bounds`](crate::bounds) says what the parameters have to be for that, unless the user
//! does.
//!
//! After an error the impl stands all the same, and has the error in it, so that the
//! compiler doesn't also complain wherever the type is used as a key.

use crate::args::{at_end, error_at_next, parse_path, parse_value, skip_to_comma};
use crate::bounds;
use crate::errors::{all, both, each};
use crate::span::{ends, grouped, mixed};
use crate::spelling::closest;
use proc_macro2::{Delimiter, Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use std::iter;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, LitStr, Member, Meta, Path, Result, Token, Type,
    WherePredicate,
};

/// Implements `LockKey` for a struct or an enum.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let options = Options::parse(&input.attrs, Place::Type);
    let krate = options
        .as_ref()
        .ok()
        .and_then(|options| options.krate.as_ref());
    let default = || quote_spanned!(mixed()=> ::lockutils);
    let krate = krate.map_or_else(default, ToTokens::to_token_stream);
    match both(options.as_ref().map_err(Error::clone), variants(&input)) {
        Ok((options, variants)) => implement(&input, &krate, &variants, options.bound.as_ref()),
        Err(error) => refuse(&input, &krate, &error),
    }
}

/// A struct, or a variant of an enum.
struct Variant {
    name: Ident,
    is_of_enum: bool,
    /// Those that are part of the key.
    fields: Vec<Field>,
}

struct Field {
    member: Member,
    ty: Type,
    /// What the user says that it asks for.
    bound: Option<Predicates>,
}

/// What stands behind a `where`.
type Predicates = Punctuated<WherePredicate, Token![,]>;

fn variants(input: &DeriveInput) -> Result<Vec<Variant>> {
    match &input.data {
        Data::Struct(data) => Ok(vec![Variant {
            name: input.ident.clone(),
            is_of_enum: false,
            fields: key_fields(&data.fields)?,
        }]),
        Data::Enum(data) => each(data.variants.iter().map(|variant| {
            let options = Options::parse(&variant.attrs, Place::Variant);
            let (_, fields) = both(options, key_fields(&variant.fields))?;
            Ok(Variant {
                name: variant.ident.clone(),
                is_of_enum: true,
                fields,
            })
        })),
        Data::Union(data) => Err(Error::new_spanned(
            data.union_token,
            "a union is not a lock key, since nothing says which of its fields is set; use a struct or an enum, or implement `LockKey` by hand",
        )),
    }
}

fn key_fields(fields: &Fields) -> Result<Vec<Field>> {
    let fields = fields.members().zip(fields).map(|(member, field)| {
        let ty = field.ty.clone();
        let Options { skip, bound, .. } = Options::parse(&field.attrs, Place::Field)?;
        Ok(skip.is_none().then_some(Field { member, ty, bound }))
    });
    Ok(each(fields)?.into_iter().flatten().collect())
}

/// What `#[lock_key(..)]` stands on.
#[derive(Clone, Copy)]
enum Place {
    Type,
    Variant,
    Field,
}

impl Place {
    /// The options that are legal there.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Type => &["bound", "crate"],
            Self::Variant => &[],
            Self::Field => &["skip", "bound"],
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Type => {
                "expected `#[lock_key(crate = my::path)]` or `#[lock_key(bound = \"T: LockKey\")]`"
            }
            Self::Variant => {
                "a variant takes no `#[lock_key(..)]`; remove it, or move it to a field"
            }
            Self::Field => "expected `#[lock_key(skip)]` or `#[lock_key(bound = \"T: LockKey\")]`",
        }
    }
}

/// What stood in `#[lock_key(..)]`.
#[derive(Default)]
struct Options {
    krate: Option<Path>,
    skip: Option<()>,
    bound: Option<Predicates>,
}

impl Options {
    fn parse(attrs: &[Attribute], place: Place) -> Result<Self> {
        let mut options = Self::default();
        let attrs = attrs.iter().filter(|attr| attr.path().is_ident("lock_key"));
        all(attrs.map(|attr| match (&attr.meta, place) {
            (Meta::List(list), Place::Type | Place::Field) if !list.tokens.is_empty() => {
                attr.parse_args_with(|input: ParseStream<'_>| options.parse_all(input, place))
            }
            (_, Place::Variant) => Err(Error::new_spanned(attr, place.expected())),
            _ => {
                let message = format!("missing option, {}", place.expected());
                Err(Error::new_spanned(attr, message))
            }
        }))
        .map(|()| options)
    }

    fn parse_all(&mut self, input: ParseStream<'_>, place: Place) -> Result<()> {
        let mut results = Vec::new();
        while !input.is_empty() {
            results.push(self.parse_one(input, place));
            skip_to_comma(input);
            input.parse::<Option<Token![,]>>()?;
        }
        all(results)
    }

    fn parse_one(&mut self, input: ParseStream<'_>, place: Place) -> Result<()> {
        let Ok(name) = input.call(Ident::parse_any) else {
            return Err(error_at_next(input, place.expected()));
        };
        match (&*name.to_string(), place) {
            ("crate", Place::Type) => {
                let path = parse_value(input, &name, parse_path)?;
                set(&mut self.krate, &name, path)
            }
            ("bound", Place::Type | Place::Field) => {
                let text = parse_value(input, &name, parse_text)?;
                set(&mut self.bound, &name, predicates(&text)?)
            }
            ("skip", Place::Field) if at_end(input) => set(&mut self.skip, &name, ()),
            ("skip", Place::Field) => Err(error_at_next(
                input,
                "`skip` takes no value; write `#[lock_key(skip)]`",
            )),
            (option, _) => Err(Error::new_spanned(
                &name,
                misplaced_or_unknown(option, place),
            )),
        }
    }
}

fn parse_text(input: ParseStream<'_>) -> Result<LitStr> {
    let place = input.fork();
    input.parse().map_err(|_| {
        error_at_next(
            &place,
            "expected a text, as in `bound = \"T: LockKey\"`; `bound = \"\"` asks for nothing",
        )
    })
}

fn predicates(text: &LitStr) -> Result<Predicates> {
    let predicates = text.parse_with(Predicates::parse_terminated);
    predicates.map_err(|error| {
        let message = format!(
            "{error}; expected what may stand behind `where`, as in `bound = \"T: LockKey\"`"
        );
        Error::new_spanned(text, message)
    })
}

fn set<T>(slot: &mut Option<T>, name: &Ident, value: T) -> Result<()> {
    if slot.replace(value).is_none() {
        return Ok(());
    }
    let message = format!("duplicate option `{name}`; remove one of them");
    Err(Error::new_spanned(name, message))
}

fn misplaced_or_unknown(option: &str, place: Place) -> String {
    match option {
        "skip" => "`skip` is for fields; move it to the field that is no part of the key".into(),
        "crate" => {
            "`crate = ..` is for the whole type; move it above the `struct` or `enum`".into()
        }
        unknown => match closest(unknown, place.options()) {
            Some(close) => format!("unknown option `{unknown}`; did you mean `{close}`?"),
            None => format!("unknown option `{unknown}`; {}", place.expected()),
        },
    }
}

fn implement(
    input: &DeriveInput,
    krate: &TokenStream,
    variants: &[Variant],
    bound: Option<&Predicates>,
) -> TokenStream {
    let writes = variants.iter().map(|variant| variant.write(krate));
    let write = match_self(variants, writes);
    let texts: Vec<_> = variants.iter().map(|variant| variant.text(krate)).collect();
    // Else the trait's own methods say that there is none.
    let as_text = texts.iter().any(Option::is_some).then(|| {
        let none = quote_spanned!(mixed()=> ::core::option::Option::None);
        let texts = texts.iter().map(|text| text.as_ref().unwrap_or(&none));
        let text = match_self(variants, texts);
        quote_spanned! {mixed()=>
            #[inline]
            fn as_text(&self) -> ::core::option::Option<&str> { #text }
        }
    });
    let as_uuid = variants.iter().find_map(|variant| {
        let uuid = variant.uuid(krate)?;
        let uuid = match_self(variants, iter::once(uuid));
        Some(quote_spanned! {mixed()=>
            #[inline]
            fn lockutils_uuid(&self) -> ::core::option::Option<::core::primitive::u128> { #uuid }
        })
    });
    let bounds = bound.map_or_else(|| bounds(input, krate, variants), with_comma);
    implementation(input, &bounds, krate, &write, &quote!(#as_text #as_uuid))
}

fn refuse(input: &DeriveInput, krate: &TokenStream, error: &Error) -> TokenStream {
    let error = error.to_compile_error();
    let nothing = TokenStream::new();
    implementation(input, &nothing, krate, &error, &nothing)
}

fn implementation(
    input: &DeriveInput,
    bounds: &TokenStream,
    krate: &TokenStream,
    write: &TokenStream,
    at_hand: &TokenStream,
) -> TokenStream {
    let name = &input.ident;
    let (parameters, arguments, own_bounds) = input.generics.split_for_impl();
    let own_bounds = own_bounds.into_iter().flat_map(|clause| &clause.predicates);
    quote_spanned! {mixed()=>
        #[automatically_derived]
        impl #parameters #krate::LockKey for #name #arguments where #(#own_bounds,)* #bounds {
            #[inline]
            fn write_key(&self, __out: &mut #krate::KeyWriter<'_>) { #write }
            #at_hand
        }
    }
}

impl Variant {
    /// Binds the fields to `__0`, `__1`, ..
    fn pattern(&self) -> TokenStream {
        let path = if self.is_of_enum {
            let name = &self.name;
            quote_spanned!(mixed()=> Self::#name)
        } else {
            quote_spanned!(mixed()=> Self)
        };
        let members = self.fields.iter().map(|field| &field.member);
        let locals = (0..self.fields.len()).map(local);
        quote_spanned!(mixed()=> #path { #(#members: #locals,)* .. })
    }

    /// The one field that is the whole key.
    fn newtype(&self) -> Option<&Field> {
        match &*self.fields {
            [field] if !self.is_of_enum => Some(field),
            _ => None,
        }
    }

    fn name(&self) -> String {
        self.name.unraw().to_string()
    }

    fn write(&self, krate: &TokenStream) -> TokenStream {
        let name = self.name();
        if self.fields.is_empty() {
            return quote_spanned!(mixed()=> __out.push_str(#name));
        }
        if let Some(field) = self.newtype() {
            let value = field.reference(&quote_spanned!(mixed()=> *__0));
            return quote_spanned!(mixed()=> #krate::LockKey::write_key(#value, __out));
        }
        let name = self.is_of_enum.then(|| quote_spanned!(mixed()=> &#name));
        let fields = self.fields.iter().enumerate().map(|(index, field)| {
            // The reference is what is made an object of, since the last field of a
            // struct may be unsized.
            field.reference(&local(index))
        });
        let parts = name.into_iter().chain(fields);
        let are_next = (0..).map(|index| index > 0);
        quote_spanned!(mixed()=> { #(__out.part(#are_next, #parts);)* })
    }

    /// The text, if it is at hand in one piece.
    fn text(&self, krate: &TokenStream) -> Option<TokenStream> {
        if self.fields.is_empty() {
            let name = self.name();
            return Some(quote_spanned!(mixed()=> ::core::option::Option::Some(#name)));
        }
        let field = self.newtype()?;
        let value = field.reference(&quote_spanned!(mixed()=> *__0));
        Some(quote_spanned!(mixed()=> #krate::LockKey::as_text(#value)))
    }

    /// The UUID, if it may be one.
    fn uuid(&self, krate: &TokenStream) -> Option<TokenStream> {
        let field = self.newtype()?;
        let value = field.reference(&quote_spanned!(mixed()=> *__0));
        Some(quote_spanned!(mixed()=> #krate::LockKey::lockutils_uuid(#value)))
    }
}

impl Field {
    /// `&(VALUE)`, with the place of the field's type, since that is what has to be a key.
    fn reference(&self, value: &impl ToTokens) -> TokenStream {
        let (first, last) = ends(&self.ty);
        let value = grouped(Delimiter::Parenthesis, last, value.to_token_stream());
        quote_spanned!(first=> &#value)
    }
}

fn local(index: usize) -> Ident {
    format_ident!("__{index}", span = mixed())
}

fn match_self(variants: &[Variant], values: impl Iterator<Item = impl ToTokens>) -> TokenStream {
    if variants.is_empty() {
        return quote_spanned!(mixed()=> match *self {});
    }
    let patterns = variants.iter().map(Variant::pattern);
    quote_spanned!(mixed()=> match self { #(#patterns => #values,)* })
}

/// The bounds that make the fields keys.
fn bounds(input: &DeriveInput, krate: &TokenStream, variants: &[Variant]) -> TokenStream {
    let fields = || variants.iter().flat_map(|variant| &variant.fields);
    let given = fields()
        .filter_map(|field| field.bound.as_ref())
        .map(with_comma);
    let others = fields().filter(|field| field.bound.is_none());
    let types = bounds::inferred(&input.ident, &input.generics, others.map(|field| &field.ty));
    // In parentheses, for a last field `dyn A + B`.
    quote!(#(#given)* #((#types): #krate::LockKey,)*)
}

fn with_comma(predicates: &Predicates) -> TokenStream {
    let predicates = predicates.iter();
    quote!(#(#predicates,)*)
}
