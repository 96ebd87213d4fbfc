//! Projections: what keeps a parameter in a set after every step.
//!
//! In: a parameter after an update. Out: the same parameter, in the set. Never: an allocation in a warm step; a
//! state, which a loss replaces and no projection follows.
//!
//! ```
//! use diabolo::prelude::*;
//! use diabolo::projection::orthonormal_rows;
//!
//! #[network]
//! fn basis() -> Tensor<4, 64> {
//!     param(orthogonal())
//! }
//!
//! #[loss]
//! fn pca(x: Tensor<B, 64>) -> Tensor<B> {
//!     let z = einsum("bd,kd->bk", x, basis());
//!     sum_squares(einsum("bk,kd->bd", z, basis()) - x)
//! }
//!
//! /// One's own: from each parameter to what it shall be.
//! #[function]
//! fn small(w: Tensor<4, 64>) -> Tensor<4, 64> {
//!     max(min(w, 1.0), -1.0)
//! }
//!
//! # fn main() -> diabolo::Result<()> {
//! let digits = diabolo::data::digits();
//! let trainer = Trainer::new(pca).epochs(1).quiet();
//! trainer.project(basis, orthonormal_rows).project(basis, small).fit(&digits.train)?;
//! # Ok(())
//! # }
//! ```

mod apply;
mod orthonormal;
mod projector;

use std::any::TypeId;

use diabolo_kernels::Float;

use crate::program::{Env, IntoRoot, Root, Spec};
pub(crate) use orthonormal::{Vectors, orthonormalise};
pub(crate) use projector::Projector;

/// A set that a parameter is kept in, and the way there.
#[derive(Clone, Debug)]
pub struct Projection(pub(crate) Kind);

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Clip(f64),
    NonNegative,
    Unit(Lines),
    Orthonormal(Lines),
    Written(Written),
    /// Why the function cannot be run: it is said where training starts.
    Failed(String),
}

/// The vectors of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    Rows,
    Columns,
}

/// A function of the language, in both precisions: the trainer's is chosen after the projection.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub spec: &'static Spec,
    pub hypers: Vec<f64>,
    pub workspace: fn(&[usize]) -> usize,
    single: fn(Env<'_, f32>),
    double: fn(Env<'_, f64>),
}

impl Written {
    /// The function in a precision.
    pub fn run<F: Float>(&self) -> Option<fn(Env<'_, F>)> {
        let functions: [&dyn std::any::Any; 2] = [&self.single, &self.double];
        functions.into_iter().find_map(|function| function.downcast_ref().copied())
    }
}

/// Every element between −bound and bound.
///
/// As in the Wasserstein GAN (Arjovsky et al. 2017, algorithm 1).
pub fn clip(bound: f32) -> Projection {
    Projection(Kind::Clip(f64::from(bound)))
}

/// Every element at least 0.
pub fn non_negative() -> Projection {
    Projection(Kind::NonNegative)
}

/// Every row of a matrix divided by its Euclidean norm; a row of zeros stays.
pub fn unit_rows() -> Projection {
    Projection(Kind::Unit(Lines::Rows))
}

/// Every column of a matrix divided by its Euclidean norm; a column of zeros stays.
pub fn unit_columns() -> Projection {
    Projection(Kind::Unit(Lines::Columns))
}

/// The rows of a matrix made orthonormal, by Gram and Schmidt from the first on, twice: the span of the first k
/// rows stays, for every k. Needs no more rows than columns.
pub fn orthonormal_rows() -> Projection {
    Projection(Kind::Orthonormal(Lines::Rows))
}

/// The columns of a matrix made orthonormal, as by [`orthonormal_rows`].
pub fn orthonormal_columns() -> Projection {
    Projection(Kind::Orthonormal(Lines::Columns))
}

impl IntoRoot for Projection {
    type Root = Projection;
    fn into_root(self) -> Projection {
        self
    }
}

/// One of this module, or a `#[function]` from a matrix to a matrix of the same shape.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a projection",
    label = "neither one of `diabolo::projection` nor a `#[function]` that can be run by itself"
)]
pub trait IntoProjection {
    /// As a projection.
    fn into_projection(self) -> Projection;
}

impl IntoProjection for Projection {
    fn into_projection(self) -> Projection {
        self
    }
}

impl<R: Root> IntoProjection for R {
    fn into_projection(self) -> Projection {
        Projection(match self.spec() {
            Ok(spec) => Kind::Written(Written {
                spec,
                hypers: self.hypers(),
                workspace: self.evaluate_workspace(),
                single: self.evaluate::<f32>(),
                double: self.evaluate::<f64>(),
            }),
            Err(error) => Kind::Failed(error.to_string()),
        })
    }
}

/// Parameters that are projected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(pub(crate) Named);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// All parameters of a network; the name has its sizes.
    Network { type_id: TypeId, name: &'static str },
    /// One parameter, by its path.
    Parameter(String),
    /// Why the network is none: it is said where training starts.
    Failed(String),
}

/// A network, or the path of a parameter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no parameters",
    label = "neither a `#[network]` nor the path of a parameter"
)]
pub trait IntoTarget {
    /// As a target.
    fn into_target(self) -> Target;
}

impl IntoTarget for &str {
    fn into_target(self) -> Target {
        Target(Named::Parameter(self.to_owned()))
    }
}

impl<I: IntoRoot> IntoTarget for I
where
    I::Root: Root,
{
    fn into_target(self) -> Target {
        let type_id = TypeId::of::<I::Root>();
        Target(match self.into_root().spec() {
            Ok(spec) => Named::Network { type_id, name: spec.name },
            Err(error) => Named::Failed(error.to_string()),
        })
    }
}
