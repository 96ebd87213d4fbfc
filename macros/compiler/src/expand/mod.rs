//! What an attribute expands to.
//!
//! In: an attribute's name, its arguments and its item; later, the answers of hidden macros. Out: Rust items.
//! Never: a panic, a path of this machine, an item that stands only if linking succeeds and that the user's
//! code needs in order to be checked.
//!
//! # How functions find each other
//! A macro sees only its own item. So every annotated item exports its body as tokens, through a hidden
//! `macro_rules!` that stands beside it under its own name:
//!
//! 1. The attribute emits all that the user's code can name (`surface`): a struct, a function that returns
//!    it, the traits. Then it asks the first callee for its body: `callee! { @link … }` (`hidden`).
//! 2. The callee's hidden macro answers to the path that the question carries, which is `__link!`
//!    ([`link`]), with a flat dictionary: its own body and those of everything it reaches, each once.
//! 3. `__link!` adds the answer to what it has and asks the next callee. With none left, the compiler runs,
//!    and the item gets its inherent functions and a hidden macro of its own.
//!
//! A function that fails keeps its surface, and its hidden macro answers `poison`: whoever links it stays
//! silent, so that one mistake is one error. The functions that the traits call are inherent functions of the
//! struct; where they never come to be, `diabolo::program::Unlinked` stands in.

mod compiled;
mod hidden;
mod recursion;
mod site;
mod state;
mod surface;
#[cfg(test)]
mod tests;

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::ast::{FeatureExpr, Function, Item, Role, SizeExpr, TypeExpr};
use crate::error::{Error, Errors, Result};
use crate::link::free;
use crate::parse::{self, Arguments, Attribute};
use site::Site;
use state::State;

/// The most items that one item may name: each is fetched by two nested expansions, of 128 that rustc allows.
const MOST_CALLEES: usize = 60;

/// Expands the attribute `name`.
pub fn attribute(name: &str, arguments: TokenStream, item: TokenStream) -> TokenStream {
    match item_of(name, arguments, item.clone()) {
        Ok(tokens) => tokens,
        // Not even an item of the right kind: Rust shall see it as it is, below the error.
        Err(errors) => {
            let errors = errors.to_compile_errors();
            quote!(#errors #item)
        }
    }
}

/// Takes the answer of a hidden macro.
pub fn link(input: TokenStream) -> TokenStream {
    let (mut state, answer) = match State::read(input) {
        Ok(read) => read,
        Err(errors) => return errors.to_compile_errors(),
    };
    match answer.and_then(|answer| state.add(answer)) {
        Ok(state::Added::Body) => advance(state),
        Ok(state::Added::Poison) => hidden::poison(&state.site),
        Err(errors) => failed(&state.site, &errors),
    }
}

fn item_of(name: &str, arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let item = parse::flattened(item)?;
    let parsed: syn::Item = syn::parse2(item.clone()).map_err(Error::from)?;
    let krate = Arguments::parse(name, arguments.clone()).ok().and_then(|a| a.krate);
    let krate = krate.unwrap_or_else(|| quote!(::diabolo));
    let start = item.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span());
    let (site, bare) = match &parsed {
        syn::Item::Fn(function) => {
            (Site::new(&function.sig.ident, &function.vis, krate, start), surface::bare_function(function))
        }
        syn::Item::Const(constant) => {
            (Site::new(&constant.ident, &constant.vis, krate, start), surface::bare_constant(constant))
        }
        _ => return parse::item(name, arguments, item).map(|_| TokenStream::new()),
    };
    let (ast, mentions, rest) = match parse::item(name, arguments.clone(), bare.clone()) {
        Ok(ast) => {
            let frees = free::paths(&ast);
            let rest = begin(name, arguments, bare, &site, &ast, &frees);
            (Some(ast), Some(surface::mentions(&frees)), rest)
        }
        Err(errors) => (None, None, Err(errors)),
    };
    let is_sound = rest.is_ok();
    let rest = rest.unwrap_or_else(|errors| failed(&site, &errors));
    let role = match Attribute::named(name) {
        Some(Attribute::Function(role)) => role,
        Some(Attribute::Constant) | None => Role::Function,
    };
    let surface = match &parsed {
        syn::Item::Fn(function) => surface::function(&site, role, function, ast.as_ref()),
        constant => surface::constant(constant, is_sound),
    };
    Ok(quote!(#surface #mentions #rest))
}

/// Looks at what the item names, and asks for the first of it.
fn begin(
    name: &str,
    arguments: TokenStream,
    item: TokenStream,
    site: &Site,
    ast: &Item,
    frees: &[free::Free],
) -> Result<TokenStream> {
    let mut errors = Errors::default();
    for free in frees {
        let text = &free.path.text;
        if free.is_linked() == Some(false) {
            errors.push(Error::new(free.path.span, free.unknown()));
        } else if *text == ast.name().text || text.strip_prefix("self::") == Some(&ast.name().text) {
            let message = match ast {
                Item::Constant { .. } => format!("`{text}` is made of itself, so it has no value"),
                Item::Function(_) => crate::link::recursion(&[text]),
            };
            errors.push(Error::new(free.path.span, message));
        }
    }
    let closes = site.is_at_margin.then(|| {
        let callees = frees.iter().map(|free| free.path.text.clone()).collect();
        recursion::circle(&site.place.file, &ast.name().text, callees)
    });
    if let Some(names) = closes.flatten() {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let span = frees.iter().find(|free| names.get(1) == Some(&free.path.text.as_str()));
        let span = span.map_or(ast.name().span, |free| free.path.span);
        errors.push(Error::new(span, crate::link::recursion(&names)));
    }
    if frees.len() > MOST_CALLEES {
        let message = format!(
            "`{}` names {} functions and constants, and {MOST_CALLEES} are the most that can be linked; \
             let a function of its own call some of them",
            ast.name().text,
            frees.len()
        );
        errors.push(Error::new(ast.name().span, message));
    }
    errors.finish(())?;
    let linked: Vec<_> =
        frees.iter().filter(|f| f.is_linked() == Some(true)).map(|f| f.path.text.clone()).collect();
    Ok(advance(State::new(name, arguments, item, site.clone(), linked)))
}

/// Asks for the next callee, or, with none left, compiles.
fn advance(mut state: State) -> TokenStream {
    match state.decide_arguments() {
        Ok(()) => match state.pending.is_empty() {
            false => hidden::question(&state),
            true => finish(&state).unwrap_or_else(|errors| failed(&state.site, &errors)),
        },
        Err(errors) => failed(&state.site, &errors),
    }
}

/// Everything is there: compiles the item if it can run by itself, and exports it.
fn finish(state: &State) -> Result<TokenStream> {
    let linked = state.linked()?;
    let compiled = match &linked.root().item {
        Item::Constant { .. } => TokenStream::new(),
        Item::Function(function) => compiled::items(state, &linked, function)?,
    };
    let hidden = hidden::answer(&state.site, &linked.root, &state.closed());
    Ok(quote!(#compiled #hidden))
}

/// The mistakes, and a hidden macro that keeps callers silent.
fn failed(site: &Site, errors: &Errors) -> TokenStream {
    let errors = errors.to_compile_errors();
    let poison = hidden::poison(site);
    quote!(#errors #poison)
}

/// Whether a function can run by itself: a loss, or a network or function all of whose sizes are known when
/// its arguments are.
pub fn is_root(function: &Function) -> bool {
    match function.role {
        // A loss without a list of its sizes is a template; any other one runs or says why not.
        Role::Loss => function.generics.iter().all(|generic| !generic.values.is_empty()),
        Role::Layer | Role::Optimizer => false,
        Role::Network(_) | Role::State | Role::Function => {
            crate::lower::is_template(function).is_none()
                && function.params.iter().map(|p| &p.ty).chain([&function.output]).all(|ty| {
                    type_is_known(ty, &|name| function.generics.iter().any(|g| g.name.text == name))
                })
        }
    }
}

/// Whether every size of a type is known when the arguments are; `listed` are those with a list of values.
fn type_is_known(ty: &TypeExpr, listed: &dyn Fn(&str) -> bool) -> bool {
    let known = |size: &SizeExpr| known(size, listed);
    match ty {
        TypeExpr::Tensor { rows, features, .. } => {
            rows.iter().flatten().all(known)
                && features.iter().all(|feature| match feature {
                    FeatureExpr::Any(_) => false,
                    FeatureExpr::Size(size) => known(size),
                })
        }
        TypeExpr::Tuple(types, _) => types.iter().all(|ty| type_is_known(ty, listed)),
        TypeExpr::Scalar(_)
        | TypeExpr::Number(_)
        | TypeExpr::Size(_)
        | TypeExpr::Flag(_)
        | TypeExpr::Initial(_) => true,
        TypeExpr::Function(_) | TypeExpr::Slot(_) => false,
    }
}

/// A literal, a constant, or `T`, the one letter besides `B` that only a run knows.
fn known(size: &SizeExpr, listed: &dyn Fn(&str) -> bool) -> bool {
    match size {
        SizeExpr::Literal(..) => true,
        SizeExpr::Name(name) => {
            !parse::is_size_variable(&name.text) || name.text == "T" || listed(&name.text)
        }
        SizeExpr::Binary(_, left, right, _) => known(left, listed) && known(right, listed),
    }
}
