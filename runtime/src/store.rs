//! The parameters of a model in one flat slice, found by name.
//!
//! In: the specs of roots. Out: places in the slice. Never: two networks under one name, a value of a
//! parameter that nobody asked for.

use diabolo_kernels::{Buffer, Float};

use crate::error::{Error, Result};
use crate::init::initial_values;
use crate::model::place;
use crate::program::{Identity, NetworkSpec, Spec};

/// One parameter.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub path: String,
    pub shape: Vec<usize>,
    pub offset: usize,
    /// Whose it is; unknown after loading until a root claims it.
    pub owner: Option<Identity>,
}

impl Entry {
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }
}

/// All parameters.
#[derive(Clone)]
pub(crate) struct Store<F: Float> {
    pub values: Buffer<F>,
    pub entries: Vec<Entry>,
}

impl<F: Float> Default for Store<F> {
    fn default() -> Self {
        Store { values: Buffer::default(), entries: Vec::new() }
    }
}

impl<F: Float> Store<F> {
    pub fn append(&mut self, path: String, shape: Vec<usize>, owner: Option<Identity>, values: Vec<F>) {
        self.entries.push(Entry { path, shape, offset: self.values.len(), owner });
        self.values.extend_from_slice(&values);
    }

    pub fn entry(&self, path: &str) -> Result<&Entry> {
        self.entries.iter().find(|e| e.path == path).ok_or_else(|| Error::Missing {
            kind: "parameter",
            name: path.to_owned(),
            known: self.entries.iter().map(|e| e.path.clone()).collect(),
        })
    }

    /// Adds the parameters of a root that are not there yet, with their initial values.
    pub fn initialise(&mut self, spec: &Spec, seed: u64) -> Result<()> {
        let owners = owners(spec)?;
        for param in spec.params {
            if !self.entries.iter().any(|e| e.path == param.path) {
                let values = initial_values(param, seed);
                let owner = owners.get(param.network).copied();
                self.append(param.path.to_owned(), param.shape.to_vec(), owner, values);
            }
        }
        self.bind(spec).map(drop)
    }

    /// Where each parameter of the root starts; checks names, owners and shapes.
    pub fn bind(&self, spec: &Spec) -> Result<Vec<usize>> {
        let owners = owners(spec)?;
        let claim = |param: &crate::program::ParamSpec| {
            let entry = self.entry(param.path)?;
            if entry.shape != param.shape {
                return Err(Error::Shape {
                    thing: param.path.to_owned(),
                    expected: format!("{:?}", param.shape),
                    found: format!("{:?}", entry.shape),
                    place: place(spec),
                });
            }
            match (entry.owner, owners.get(param.network)) {
                (Some(known), Some(asked)) if known.type_id != asked.type_id => {
                    Err(identity_error(&spec.networks[param.network], &known, asked))
                }
                _ => Ok(entry.offset),
            }
        };
        spec.params.iter().map(claim).collect()
    }
}

/// The identity of every network of a root; every way to reach one must lead to the same type.
fn owners(spec: &Spec) -> Result<Vec<Identity>> {
    let owner = |network: &NetworkSpec| {
        let identities = (network.identities)();
        match identities.as_slice() {
            [] => Err(Error::config(format!("`{}` has no identity", network.name))),
            [first, rest @ ..] => match rest.iter().find(|other| other.type_id != first.type_id) {
                Some(other) => Err(identity_error(network, first, other)),
                None => Ok(*first),
            },
        }
    };
    spec.networks.iter().map(owner).collect()
}

fn identity_error(network: &NetworkSpec, first: &Identity, second: &Identity) -> Error {
    Error::Identity {
        name: network.name.to_owned(),
        first: first.place.to_owned(),
        second: second.place.to_owned(),
    }
}
