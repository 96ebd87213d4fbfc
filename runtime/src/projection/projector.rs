//! A projection bound to the parameters of a model.
//!
//! In: a target, the losses, the model. Out: the parameters in their set. Never: a shape that was not checked when
//! the projection was bound.

use diabolo_kernels::Float;

use super::apply::{clamp, unit, vectors};
use super::{Kind, Lines, Named, Projection, Target, orthonormalise};
use crate::error::{Error, Result};
use crate::program::{Axis, NetworkSpec, ParamSpec, SlotSpec, Spec};
use crate::session::Session;
use crate::store::Store;

/// A projection bound to parameters.
pub(crate) struct Projector<F: Float> {
    /// Of each loss, whether its steps change what is projected.
    pub follows: Vec<bool>,
    places: Vec<Place>,
    kind: Kind,
    /// The function, where the projection is one.
    session: Option<Session<F>>,
}

/// A parameter of the model.
struct Place {
    offset: usize,
    len: usize,
    /// Rows and columns; of what is no matrix, its elements as one row.
    shape: [usize; 2],
}

impl<F: Float> Projector<F> {
    /// Finds the parameters among those of the losses, and checks that the projection fits each.
    pub fn new(target: &Target, projection: Projection, losses: &[&Spec], store: &Store<F>) -> Result<Self> {
        let params = params(target, losses)?;
        let kind = projection.0;
        let mut places = Vec::with_capacity(params.len());
        for param in &params {
            fits(&kind, param)?;
            let entry = store.entry(param.path)?;
            let shape = match entry.shape.as_slice() {
                &[rows, columns] => [rows, columns],
                _ => [1, entry.len()],
            };
            places.push(Place { offset: entry.offset, len: entry.len(), shape });
        }
        let trains = |spec: &&Spec| {
            let mut trained = spec.trained.iter().map(|param| spec.params[*param].path);
            trained.any(|path| params.iter().any(|param| param.path == path))
        };
        let session = match &kind {
            Kind::Written(written) => {
                let run = written.run::<F>().ok_or_else(|| Error::config("a projection needs f32 or f64"))?;
                let (spec, hypers) = (written.spec, written.hypers.clone());
                Some(Session::bind(store, spec, run, written.workspace, hypers, 0)?)
            }
            _ => None,
        };
        Ok(Projector { follows: losses.iter().map(trains).collect(), places, kind, session })
    }

    /// Where the parameters that it changes lie in the model: first elements, and how many.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        self.places.iter().map(|place| (place.offset, place.len))
    }

    /// Projects every parameter.
    pub fn apply(&mut self, params: &mut [F]) {
        for Place { offset, len, shape } in &self.places {
            let values = &mut params[*offset..][..*len];
            match &self.kind {
                Kind::Clip(bound) => clamp(values, -bound, *bound),
                Kind::NonNegative => clamp(values, 0.0, f64::INFINITY),
                Kind::Unit(lines) => unit(values, vectors(*lines, *shape)),
                Kind::Orthonormal(lines) => orthonormalise(values, vectors(*lines, *shape)),
                Kind::Written(_) | Kind::Failed(_) => {
                    if let Some(session) = &mut self.session {
                        session.map(params, *offset, *len, shape[0]);
                    }
                }
            }
        }
    }
}

/// The parameters that a target names: of all losses, each once, and no states.
fn params(target: &Target, losses: &[&Spec]) -> Result<Vec<&'static ParamSpec>> {
    let mut found: Vec<&'static ParamSpec> = Vec::new();
    let (mut known, mut networks) = (Vec::new(), Vec::new());
    let mut network_is_known = false;
    for spec in losses {
        let owns = |network: usize| match &target.0 {
            Named::Network { type_id, name } => {
                let NetworkSpec { name: its, identities } = &spec.networks[network];
                its == name && identities().iter().any(|identity| identity.type_id == *type_id)
            }
            Named::Parameter(_) | Named::Failed(_) => false,
        };
        for (index, network) in spec.networks.iter().enumerate() {
            network_is_known |= owns(index);
            push_new(&mut networks, network.name);
        }
        for param in spec.params.iter().filter(|param| !param.state) {
            push_new(&mut known, param.path);
            let named = matches!(&target.0, Named::Parameter(path) if path == param.path);
            if (named || owns(param.network)) && !found.iter().any(|other| other.path == param.path) {
                found.push(param);
            }
        }
    }
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    match &target.0 {
        _ if !found.is_empty() => Ok(found),
        Named::Network { name, .. } if network_is_known => {
            Err(Error::config(format!("project: `{name}` has no parameters of its own")))
        }
        Named::Network { name, .. } => {
            Err(Error::Missing { kind: "network", name: (*name).to_owned(), known: owned(networks) })
        }
        Named::Parameter(path) => {
            Err(Error::Missing { kind: "parameter", name: path.clone(), known: owned(known) })
        }
        Named::Failed(what) => Err(Error::config(what.clone())),
    }
}

fn push_new<'s>(names: &mut Vec<&'s str>, name: &'s str) {
    if !names.contains(&name) {
        names.push(name);
    }
}

/// Whether a projection can be applied to a parameter.
fn fits(kind: &Kind, param: &ParamSpec) -> Result<()> {
    let name = match kind {
        Kind::Clip(bound) if bound.is_nan() || *bound < 0.0 => {
            return Err(Error::config(format!("clip takes a bound of 0 or more, not {bound}")));
        }
        Kind::Clip(_) | Kind::NonNegative => return Ok(()),
        Kind::Unit(Lines::Rows) => "unit_rows",
        Kind::Unit(Lines::Columns) => "unit_columns",
        Kind::Orthonormal(Lines::Rows) => "orthonormal_rows",
        Kind::Orthonormal(Lines::Columns) => "orthonormal_columns",
        Kind::Written(written) => return maps(written.spec, param),
        Kind::Failed(what) => return Err(Error::config(what.clone())),
    };
    let wrong = |expected: &str| {
        Err(Error::Shape {
            thing: param.path.to_owned(),
            expected: expected.to_owned(),
            found: format!("{:?}", param.shape),
            place: name.to_owned(),
        })
    };
    match (kind, param.shape) {
        (Kind::Orthonormal(Lines::Rows), [rows, columns]) if rows > columns => {
            wrong("a matrix of no more rows than columns")
        }
        (Kind::Orthonormal(Lines::Columns), [rows, columns]) if columns > rows => {
            wrong("a matrix of no more columns than rows")
        }
        (_, [_, _]) => Ok(()),
        _ => wrong("a matrix (a network with other parameters is projected by their paths)"),
    }
}

/// Whether a function maps a parameter's shape to itself. Its rows, if it has any, are the parameter's first axis.
fn maps(spec: &Spec, param: &ParamSpec) -> Result<()> {
    let ([input], [output]) = (spec.inputs, spec.outputs) else {
        return Err(Error::config(format!(
            "project: `{}` ({}:{}) should take one matrix and return one",
            spec.name, spec.file, spec.line
        )));
    };
    let same = |slot: &SlotSpec| {
        let own = if slot.rows { param.shape.get(1..) } else { Some(param.shape) };
        own.is_some_and(|own| {
            own.len() == slot.shape.len()
                && own.iter().zip(slot.shape).all(|(size, axis)| *axis == Axis::Known(*size))
        })
    };
    let shown = |slot: &SlotSpec| {
        let axes = slot.shape.iter().map(|axis| axis.written(spec.symbols));
        let rows = slot.rows.then(|| "B".to_owned());
        format!("[{}]", rows.into_iter().chain(axes).collect::<Vec<_>>().join(", "))
    };
    for (slot, what) in [(input, "takes"), (output, "returns")] {
        if !same(slot) || slot.rows != input.rows {
            return Err(Error::Shape {
                thing: param.path.to_owned(),
                expected: format!("{}, which the function {what}", shown(slot)),
                found: format!("{:?}", param.shape),
                place: format!("{} ({}:{})", spec.name, spec.file, spec.line),
            });
        }
    }
    Ok(())
}
