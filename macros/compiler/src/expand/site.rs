//! Where an item stands, and who it is.
//!
//! In: its name and visibility, and what cargo tells of its package. Out: its id, the name of its hidden
//! macro, its file and line. Never: an absolute path, a random number, a file opened.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Mutex;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

use crate::error::Result;
use crate::link::Place;
use crate::link::dictionary::Reader;

/// Where an item stands, and who it is.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// Its name.
    pub name: Ident,
    /// Its visibility.
    pub visibility: TokenStream,
    /// The path of the crate `diabolo` there.
    pub krate: TokenStream,
    /// Its id.
    pub id: String,
    /// The file and line.
    pub place: Place,
    /// The crate it belongs to.
    pub package: String,
    /// Whether it starts at the left margin of its file.
    pub is_at_margin: bool,
}

impl Site {
    /// Of the item `name` that starts at `first`.
    pub fn new(name: &Ident, visibility: &syn::Visibility, krate: TokenStream, first: Span) -> Self {
        let is_at_margin = first.start().column == 0;
        let start = name.span().start();
        let place = Place { file: file(name.span()), line: start.line };
        let variable = |key: &str| std::env::var(key).unwrap_or_default();
        let package = variable("CARGO_CRATE_NAME");
        let key = (place.file.clone(), start.line, start.column, name.to_string());
        let turn = occurrence(key.clone());
        let mut hasher = DefaultHasher::new();
        (&package, variable("CARGO_PKG_VERSION"), key, turn).hash(&mut hasher);
        let id = format!("{name}_{:016x}", hasher.finish());
        Site {
            name: name.clone(),
            visibility: visibility.to_token_stream(),
            krate,
            id,
            place,
            package,
            is_at_margin,
        }
    }

    /// The name of its hidden macro.
    pub fn hidden(&self) -> Ident {
        Ident::new(&format!("__diabolo_{}", self.id), Span::call_site())
    }

    /// Whether other crates can name it.
    pub fn is_public(&self) -> bool {
        self.visibility.to_string() == "pub"
    }

    /// The tokens between macros; the id, place and package travel with the item's entry.
    pub fn to_tokens(&self) -> TokenStream {
        let Site { name, visibility, krate, .. } = self;
        quote!({ { #name } { #visibility } { #krate } })
    }

    /// Reads what `to_tokens` wrote, beside the entry that has the rest.
    pub fn parse(site: TokenStream, id: String, place: Place, package: String) -> Result<Self> {
        let mut tokens = Reader::new(site);
        let name = syn::parse2(tokens.group()?).map_err(crate::error::Error::from)?;
        Ok(Site {
            name,
            visibility: tokens.group()?,
            krate: tokens.group()?,
            id,
            place,
            package,
            is_at_margin: false,
        })
    }
}

/// File, line, column, name.
type Spot = (String, usize, usize, String);

/// How often this place was expanded before, in this compilation: a macro of the user's that makes two
/// networks makes them at one place.
fn occurrence(key: Spot) -> usize {
    static SEEN: Mutex<Option<HashMap<Spot, usize>>> = Mutex::new(None);
    let mut seen = SEEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let turns = seen.get_or_insert_default().entry(key).or_insert(0);
    *turns += 1;
    *turns - 1
}

/// The file, relative to its package; of a file elsewhere, its name alone.
fn file(span: Span) -> String {
    let written = span.file();
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let path = std::env::current_dir().unwrap_or_default().join(&written);
    let inside = path.strip_prefix(&package).ok().filter(|_| !package.is_empty());
    let short = match (inside, Path::new(&written).is_absolute()) {
        (Some(inside), _) => inside,
        (None, false) => Path::new(&written),
        (None, true) => Path::new(&written).file_name().map(Path::new).unwrap_or(Path::new("")),
    };
    short.to_string_lossy().replace('\\', "/")
}
