//! What `#[derive(LockKey)]` asks of the type's parameters.
//!
//! The bounds are on the types of the fields, so that they ask what is needed and no more:
//! `E::Id: LockKey` says nothing of `E`, nor `raw::Id<T>: LockKey` of `T`. References and
//! tuples are keys just where their parts are, so the bounds are on the parts.
//!
//! A bound that leads back to the type itself would be asked for without end. There are
//! two ways back:
//!
//! - The field's type has the type itself in it. Only `Self`, or the name alone, is that
//!   type: `raw::Id` is another one, and so is `E::Id`. The impl makes it a key, so the
//!   bounds are on whatever stands beside it.
//! - The field points to another type that has this one in it, which can't be seen here.
//!   Where other fields make the parameters' own values keys there is no bound for such a
//!   field. So a circle of types is open where one that points has these values, too.
//!
//! Whatever this gets wrong, `#[lock_key(bound = "..")]` says instead.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Generics, PathArguments, Type, TypePath};

/// The types that have to be keys, for these fields of the type to be.
pub(crate) fn inferred<'a>(
    name: &'a Ident,
    generics: &'a Generics,
    fields: impl Iterator<Item = &'a Type>,
) -> Vec<&'a Type> {
    let mut bounds = Bounds {
        name,
        parameters: generics.type_params().map(|it| &it.ident).collect(),
        plain: Vec::new(),
        pointing: Vec::new(),
    };
    fields.for_each(|field| bounds.add(field, false));
    let is_needed = |ty: &&Type| {
        let values = &bounds.plain;
        let is_key = |parameter: &Ident| values.iter().any(|ty| is_value_of(ty, parameter));
        !bounds.used(ty).all(is_key)
    };
    let needed: Vec<_> = bounds.pointing.iter().copied().filter(is_needed).collect();
    [bounds.plain, needed].concat()
}

struct Bounds<'a> {
    name: &'a Ident,
    parameters: Vec<&'a Ident>,
    plain: Vec<&'a Type>,
    /// Those that may have the type itself in them.
    pointing: Vec<&'a Type>,
}

impl<'a> Bounds<'a> {
    fn add(&mut self, ty: &'a Type, is_behind_reference: bool) {
        if !self.is_generic(ty) {
            return;
        }
        match ty {
            Type::Paren(ty) => self.add(&ty.elem, is_behind_reference),
            Type::Group(ty) => self.add(&ty.elem, is_behind_reference),
            Type::Reference(ty) => self.add(&ty.elem, true),
            Type::Tuple(ty) => {
                for part in &ty.elems {
                    self.add(part, is_behind_reference);
                }
            }
            Type::Path(path) if self.is_as_declared(path) => {}
            Type::Path(path) if self.has_itself(ty) => {
                for argument in type_arguments(path) {
                    self.add(argument, is_behind_reference);
                }
            }
            Type::Path(path) if self.may_point_back(path, is_behind_reference) => {
                self.pointing.push(ty);
            }
            _ => self.plain.push(ty),
        }
    }

    fn is_generic(&self, ty: &Type) -> bool {
        self.used(ty).next().is_some()
    }

    /// The parameters that are used in it.
    fn used(&self, ty: &Type) -> impl Iterator<Item = &'a Ident> {
        let mut names = Vec::new();
        add_names(ty.to_token_stream(), &mut names);
        let parameters = self.parameters.iter().copied();
        parameters.filter(move |parameter| names.contains(parameter))
    }

    /// Whether it is `Self`, or the type's name alone.
    fn is_itself(&self, path: &TypePath) -> bool {
        let name = path.path.segments.first().map(|segment| &segment.ident);
        let is_alone = path.qself.is_none()
            && path.path.leading_colon.is_none()
            && path.path.segments.len() == 1;
        is_alone
            && name.is_some_and(|name| name == "Self" || name == self.name)
            && !self.parameters.contains(&self.name)
    }

    /// Whether it is the type itself, of the same arguments. With others it is a key if
    /// these are.
    fn is_as_declared(&self, path: &TypePath) -> bool {
        let parameters = self.parameters.iter().map(ToString::to_string);
        let arguments = type_arguments(path).map(|it| it.to_token_stream().to_string());
        self.is_itself(path) && arguments.eq(parameters)
    }

    /// Whether the type itself is in it.
    fn has_itself(&self, ty: &Type) -> bool {
        match ty {
            Type::Paren(ty) => self.has_itself(&ty.elem),
            Type::Group(ty) => self.has_itself(&ty.elem),
            Type::Reference(ty) => self.has_itself(&ty.elem),
            Type::Tuple(ty) => ty.elems.iter().any(|part| self.has_itself(part)),
            Type::Path(path) => {
                self.is_itself(path) || type_arguments(path).any(|ty| self.has_itself(ty))
            }
            _ => false,
        }
    }

    /// Whether it points to a generic type: `&Id<T>` or `Box<Id<T>>`, whatever the pointer
    /// is called.
    fn may_point_back(&self, path: &TypePath, is_behind_reference: bool) -> bool {
        type_arguments(path).any(|argument| match argument {
            _ if is_behind_reference => self.is_generic(argument),
            Type::Path(path) => type_arguments(path).any(|ty| self.is_generic(ty)),
            _ => false,
        })
    }
}

/// Whether it is the parameter, or what a trait has for it, as in `E::Id`.
fn is_value_of(ty: &Type, parameter: &Ident) -> bool {
    let Type::Path(TypePath { qself, path, .. }) = ty else {
        return false;
    };
    match qself {
        Some(qself) => is_value_of(&qself.ty, parameter),
        None => path.leading_colon.is_none() && path.segments[0].ident == *parameter,
    }
}

fn type_arguments(path: &TypePath) -> impl Iterator<Item = &Type> {
    let arguments = path
        .path
        .segments
        .iter()
        .filter_map(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
            _ => None,
        });
    arguments.flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The names that a path may begin with: neither a lifetime's nor one behind `::`.
fn add_names(tokens: TokenStream, names: &mut Vec<Ident>) {
    let mut before = ['\0'; 2];
    for token in tokens {
        let mut this = '\0';
        match token {
            TokenTree::Ident(name) if before != [':', ':'] && before[1] != '\'' => names.push(name),
            TokenTree::Group(group) => add_names(group.stream(), names),
            TokenTree::Punct(punct) => this = punct.as_char(),
            TokenTree::Ident(_) | TokenTree::Literal(_) => {}
        }
        before = [before[1], this];
    }
}
