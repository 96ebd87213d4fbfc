//! The contract between generated code and the runtime.
//!
//! In: nothing but slices. Out: losses, gradients, results, written into slices. Never: a graph, an
//! allocation, a thread of its own. Everything here is public for the sake of generated code; users meet
//! `Root` and `Loss` only as bounds.

use std::any::TypeId;

use diabolo_kernels::Float;
use diabolo_kernels::cuda::Program;

use crate::data::Array;
use crate::error::Result;
#[doc(hidden)]
pub use crate::unlinked::Unlinked;

/// An axis of an input or a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Known at compile time.
    Known(usize),
    /// Position in [`Spec::symbols`], known at run time.
    Symbol(usize),
    /// `factor` times a symbol, by position, plus `offset`; 0 where that is below.
    Linear {
        /// The symbol.
        symbol: usize,
        /// What it is multiplied with.
        factor: usize,
        /// What is added.
        offset: isize,
    },
}

impl Axis {
    /// The size, given the values of the symbols.
    pub(crate) fn size(self, dims: &[usize]) -> usize {
        match self {
            Axis::Known(size) => size,
            Axis::Symbol(symbol) => dims[symbol],
            Axis::Linear { symbol, factor, offset } => {
                dims[symbol].saturating_mul(factor).saturating_add_signed(offset)
            }
        }
    }

    /// In the user's words.
    pub(crate) fn written(self, symbols: &[&str]) -> String {
        match self {
            Axis::Known(size) => size.to_string(),
            Axis::Symbol(symbol) => symbols[symbol].to_owned(),
            Axis::Linear { symbol, factor, offset } => {
                let sign = if offset < 0 { '-' } else { '+' };
                format!("{factor} * {} {sign} {}", symbols[symbol], offset.unsigned_abs())
            }
        }
    }
}

/// An input or a result of a root.
#[derive(Clone, Copy, Debug)]
pub struct SlotSpec {
    /// Its name: the column of the data that it reads.
    pub name: &'static str,
    /// Whether it has rows (then each row of the batch has `shape`).
    pub rows: bool,
    /// Its axes without the batch's rows.
    pub shape: &'static [Axis],
    /// Of an index: the lengths of the axes along which it is followed, each above every value.
    pub index: Option<&'static [Axis]>,
}

/// How a parameter starts; see the initialisers of the language.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// Every element this value.
    Constant(f64),
    /// Normal with this standard deviation.
    Normal(f64),
    /// Uniform on (-a, a).
    Uniform(f64),
    /// Orthonormal rows or columns, whichever are fewer.
    Orthogonal,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct ParamSpec {
    /// The checkpoint's name, e.g. `encode.dense0.weight`.
    pub path: &'static str,
    /// Index into [`Spec::networks`].
    pub network: usize,
    /// Its shape.
    pub shape: &'static [usize],
    /// Its first values.
    pub initial: Initial,
    /// Whether it is a state, which no optimizer changes.
    pub state: bool,
}

/// A network whose parameters the root uses.
#[derive(Clone, Copy, Debug)]
pub struct NetworkSpec {
    /// The name its parameters' paths start with.
    pub name: &'static str,
    /// Its identity, once for every way in which the root reaches it; they must agree.
    pub identities: fn() -> Vec<Identity>,
}

/// Who a network is, across programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The type of its struct.
    pub type_id: TypeId,
    /// Where it is declared: `module::name (file:line)`.
    pub place: &'static str,
}

/// A hyperparameter.
#[derive(Clone, Copy, Debug)]
pub struct HyperSpec {
    /// The field of the struct.
    pub name: &'static str,
}

/// What is known of a root without running it.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The function's name.
    pub name: &'static str,
    /// The file that declares it.
    pub file: &'static str,
    /// The line.
    pub line: u32,
    /// Sizes known at run time; the first is always `B`, the rows of the batch.
    pub symbols: &'static [&'static str],
    /// The least value of a symbol, by its position, that the windows of the program fit into.
    pub least: &'static [(usize, usize)],
    /// The arguments with rows or features, in order.
    pub inputs: &'static [SlotSpec],
    /// The results (of a loss: none).
    pub outputs: &'static [SlotSpec],
    /// The scalar arguments, in order.
    pub hypers: &'static [HyperSpec],
    /// The parameters, in order.
    pub params: &'static [ParamSpec],
    /// The networks.
    pub networks: &'static [NetworkSpec],
    /// Names of the logged parts of a loss, after the loss itself.
    pub metrics: &'static [&'static str],
    /// Which parameters have gradients, in the order of [`Env::grads`].
    pub trained: &'static [usize],
    /// Which parameters are states that training replaces, in the order of [`Env::states`].
    pub states: &'static [usize],
    /// What `inspect` shows: name and `file:line`.
    pub inspects: &'static [(&'static str, &'static str)],
    /// Whether rows meet: such a root cannot be evaluated in pieces.
    pub crosses_rows: bool,
    /// Whether it draws random numbers.
    pub random: bool,
    /// The plan in words: stages, tiles, products, and the sizes that its costs assumed.
    pub plan: &'static str,
}

impl Spec {
    /// Elements of some of its parameters together.
    pub(crate) fn elements(&self, params: &[usize]) -> usize {
        params.iter().map(|param| self.params[*param].shape.iter().product::<usize>()).sum()
    }
}

/// What one run of a program sees and fills.
pub struct Env<'a, F: Float> {
    /// Values of [`Spec::symbols`]; `dims[0]` is the number of rows.
    pub dims: &'a [usize],
    /// The number of the first row, for random streams of a batch that is a piece of a larger set.
    pub first_row: usize,
    /// The inputs, one after the other, each row-major.
    pub inputs: &'a [F],
    /// The parameters of the model.
    pub params: &'a [F],
    /// Where parameter `i` of this program starts in `params`.
    pub offsets: &'a [usize],
    /// The hyperparameters.
    pub hypers: &'a [F],
    /// The seed of the random streams.
    pub seed: u64,
    /// The step of the random streams.
    pub step: u64,
    /// Scratch of the size that `workspace` asked for; its contents mean nothing before and after.
    pub work: &'a mut [F],
    /// Gradients of the trained parameters, one after the other, overwritten.
    pub grads: &'a mut [F],
    /// New values of [`Spec::states`], one after the other, overwritten; `params` still has the old ones.
    pub states: &'a mut [F],
    /// Results, one after the other, overwritten.
    pub outputs: &'a mut [F],
    /// The loss and its named parts: means over the batch, overwritten.
    pub metrics: &'a mut [F],
    /// Receives the values of `inspect`: index into [`Spec::inspects`] and all elements.
    pub inspect: &'a (dyn Fn(usize, &[F]) + Sync),
}

/// An annotated function: who it is. Implemented before linking, so that one mistake is one error.
pub trait Declared: Sized + Send + Sync + 'static {
    /// The identity of the item that `route` (positions of callees) leads to.
    fn identity(route: &[usize]) -> Identity;
}

/// An annotated function that can be run by itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be run by itself",
    label = "not a program of its own",
    note = "a `#[layer]`, and a function whose sizes only a call fixes, runs inside of a `#[network]`, `#[function]` or `#[loss]` that calls it",
    note = "a function with sizes runs by itself at those it lists: `fn encode<#[values(8, 16)] const K: usize>(…)`, `encode::<8>`"
)]
pub trait Root: Declared {
    /// What `run` returns: an [`Array`], a tuple of them (a returned tuple, flattened), or `()` for a loss.
    type Results<F: Float>: Results<F>;
    /// What is known without running.
    ///
    /// # Errors
    /// Where the function was not compiled for the sizes in its fields; see `#[values(…)]`.
    fn spec(&self) -> Result<&'static Spec>;
    /// The values of the hyperparameters.
    fn hypers(&self) -> Vec<f64>;
    /// Elements of scratch that `evaluate` needs, for values of [`Spec::symbols`].
    fn evaluate_workspace(&self) -> fn(&[usize]) -> usize;
    /// Runs in evaluation mode: results, or the loss and its parts.
    fn evaluate<F: Float>(&self) -> fn(Env<'_, F>);
    /// The same for a device, where the build has the feature `cuda`.
    fn evaluate_cuda(&self) -> Option<&'static Program> {
        None
    }
}

/// A root with gradients.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a loss", label = "only a `#[loss]` can be trained")]
pub trait Loss: Root {
    /// Elements of scratch that `train` needs, for values of [`Spec::symbols`].
    fn train_workspace(&self) -> fn(&[usize]) -> usize;
    /// Runs in training mode: the loss, its parts and the gradients.
    fn train<F: Float>(&self) -> fn(Env<'_, F>);
    /// The same for a device, where the build has the feature `cuda`.
    fn train_cuda(&self) -> Option<&'static Program> {
        None
    }
}

/// What a root returns, built from its arrays in order.
pub trait Results<F>: Sized {
    /// Takes exactly as many arrays as [`Spec::outputs`] lists.
    fn collect(arrays: impl Iterator<Item = Array<F>>) -> Option<Self>;
}

impl<F> Results<F> for () {
    fn collect(_: impl Iterator<Item = Array<F>>) -> Option<Self> {
        Some(())
    }
}

impl<F> Results<F> for Array<F> {
    fn collect(mut arrays: impl Iterator<Item = Array<F>>) -> Option<Self> {
        arrays.next()
    }
}

macro_rules! tuple_results {
    ($($array:ident)*) => {
        impl<F> Results<F> for ($(tuple_results!(@one $array),)*) {
            fn collect(mut arrays: impl Iterator<Item = Array<F>>) -> Option<Self> {
                $(let $array = arrays.next()?;)*
                Some(($($array,)*))
            }
        }
    };
    (@one $array:ident) => { Array<F> };
}
tuple_results!(a b);
tuple_results!(a b c);
tuple_results!(a b c d);
tuple_results!(a b c d e);
tuple_results!(a b c d e f);
tuple_results!(a b c d e f g);
tuple_results!(a b c d e f g h);

/// What one update of an optimizer sees and fills.
pub struct Update<'a, F: Float> {
    /// The weights, changed in place.
    pub weights: &'a mut [F],
    /// Their gradients.
    pub grads: &'a [F],
    /// The moments one after the other, each as long as `weights`; zeros before the first step.
    pub moments: &'a mut [F],
    /// The hyperparameters, in the order of [`Optimizer::HYPERS`].
    pub hypers: &'a [F],
    /// The step, counted from 1.
    pub step: u64,
}

/// An annotated update rule, element by element.
pub trait Optimizer: Clone + Send + Sync + 'static {
    /// How many moments it keeps for every weight.
    const MOMENTS: usize;
    /// The names of its hyperparameters; schedules change `lr`.
    const HYPERS: &'static [&'static str];
    /// Their values, in order.
    fn hypers(&self) -> Vec<f64>;
    /// One fused pass over weights, gradients and moments.
    fn update<F: Float>(update: Update<'_, F>);
    /// The same for a device, where the build has the feature `cuda`. Its one symbol is the number of weights; parameter 0
    /// is the weights, those that follow are the moments; the step of its clock is counted from 1.
    fn update_cuda() -> Option<&'static Program> {
        None
    }
}

/// A struct of hyperparameters, or the function that returns it with its defaults.
pub trait IntoRoot {
    /// The root.
    type Root;
    /// The struct.
    fn into_root(self) -> Self::Root;
}

impl<R, Make: Fn() -> R> IntoRoot for Make {
    type Root = R;
    fn into_root(self) -> R {
        self()
    }
}
