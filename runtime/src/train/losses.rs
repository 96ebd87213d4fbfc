//! One loss or several, each with its optimizer.
//!
//! In: a loss, or a tuple of losses; an optimizer, or a tuple of optimizers. Out: what binds them to a model.
//! Never: a precision that is not used, which would cost the user's build the code of both.

use diabolo_kernels::Float;
use diabolo_kernels::cuda::Program;

use crate::error::Result;
use crate::program::{Env, IntoRoot, Loss, Optimizer, Spec, Update};

/// What a trainer trains with: one `#[loss]`, or a tuple of up to eight that take turns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be trained",
    label = "neither a `#[loss]` nor a tuple of up to eight of them"
)]
pub trait Losses: Sized + Send + 'static {
    /// A number for each loss, as in `every((1, 5, 1))`.
    type Counts;
    #[doc(hidden)]
    fn counts(counts: Self::Counts) -> Vec<usize>;
    #[doc(hidden)]
    fn specs(&self) -> Result<Vec<&'static Spec>>;
    #[doc(hidden)]
    fn bind<F: Float>(&self) -> Result<Vec<BoundLoss<F>>>;
}

/// A tuple of losses as a user writes it: functions, or structs of hyperparameters.
#[diagnostic::on_unimplemented(
    message = "`Trainer::alternate` takes a tuple of losses",
    label = "not a tuple of up to eight `#[loss]`es"
)]
pub trait IntoLosses {
    /// The structs.
    type Losses: Losses;
    /// With their hyperparameters.
    fn into_losses(self) -> Self::Losses;
}

/// One optimizer for all losses of `L`, or a tuple with one for each.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot optimize `{L}`",
    label = "neither one optimizer for all losses nor a tuple with exactly one for each"
)]
pub trait Optimizers<L>: Send + 'static {
    #[doc(hidden)]
    fn bind<F: Float>(&self, losses: usize) -> Vec<BoundOptimizer<F>>;
}

/// A loss in one precision.
#[doc(hidden)]
pub struct BoundLoss<F: Float> {
    pub(crate) spec: &'static Spec,
    pub(crate) hypers: Vec<f64>,
    pub(crate) train: fn(Env<'_, F>),
    pub(crate) train_workspace: fn(&[usize]) -> usize,
    pub(crate) evaluate: fn(Env<'_, F>),
    pub(crate) evaluate_workspace: fn(&[usize]) -> usize,
    /// The same for a device: training, evaluation.
    pub(crate) cuda: Option<[Program; 2]>,
}

impl<F: Float> BoundLoss<F> {
    fn of<L: Loss>(loss: &L) -> Result<Self> {
        Ok(BoundLoss {
            spec: loss.spec()?,
            hypers: loss.hypers(),
            train: loss.train::<F>(),
            train_workspace: loss.train_workspace(),
            evaluate: loss.evaluate::<F>(),
            evaluate_workspace: loss.evaluate_workspace(),
            cuda: loss.train_cuda().zip(loss.evaluate_cuda()).map(|(train, evaluate)| [*train, *evaluate]),
        })
    }
}

/// An optimizer in one precision.
#[doc(hidden)]
pub struct BoundOptimizer<F: Float> {
    pub(crate) moments: usize,
    pub(crate) hypers: Vec<f64>,
    /// Which hyperparameter is the learning rate.
    pub(crate) rate: Option<usize>,
    pub(crate) update: fn(Update<'_, F>),
    /// The same for a device.
    pub(crate) cuda: Option<Program>,
}

impl<F: Float> BoundOptimizer<F> {
    fn of<O: Optimizer>(optimizer: &O) -> Self {
        BoundOptimizer {
            moments: O::MOMENTS,
            hypers: optimizer.hypers(),
            rate: O::HYPERS.iter().position(|name| *name == "lr"),
            update: O::update::<F>,
            cuda: O::update_cuda().copied(),
        }
    }
}

impl<L: Loss> Losses for L {
    type Counts = (usize,);

    fn counts((count,): (usize,)) -> Vec<usize> {
        vec![count]
    }

    fn specs(&self) -> Result<Vec<&'static Spec>> {
        Ok(vec![self.spec()?])
    }

    fn bind<F: Float>(&self) -> Result<Vec<BoundLoss<F>>> {
        Ok(vec![BoundLoss::of(self)?])
    }
}

impl<L: Losses, O: Optimizer> Optimizers<L> for O {
    fn bind<F: Float>(&self, losses: usize) -> Vec<BoundOptimizer<F>> {
        (0..losses).map(|_| BoundOptimizer::of(self)).collect()
    }
}

macro_rules! tuples {
    ($($loss:ident $optimizer:ident $count:ident),*) => {
        #[allow(non_snake_case)]
        impl<$($loss: Loss),*> Losses for ($($loss,)*) {
            type Counts = ($(tuples!(@count $loss),)*);

            fn counts(($($count,)*): Self::Counts) -> Vec<usize> {
                vec![$($count),*]
            }

            fn specs(&self) -> Result<Vec<&'static Spec>> {
                let ($($loss,)*) = self;
                Ok(vec![$($loss.spec()?),*])
            }

            fn bind<F: Float>(&self) -> Result<Vec<BoundLoss<F>>> {
                let ($($loss,)*) = self;
                Ok(vec![$(BoundLoss::of($loss)?),*])
            }
        }

        #[allow(non_snake_case)]
        impl<$($loss: IntoRoot),*> IntoLosses for ($($loss,)*)
        where
            $($loss::Root: Loss,)*
        {
            type Losses = ($($loss::Root,)*);

            fn into_losses(self) -> Self::Losses {
                let ($($loss,)*) = self;
                ($($loss.into_root(),)*)
            }
        }

        #[allow(non_snake_case)]
        impl<$($loss: Loss, $optimizer: Optimizer),*> Optimizers<($($loss,)*)> for ($($optimizer,)*) {
            fn bind<F: Float>(&self, _losses: usize) -> Vec<BoundOptimizer<F>> {
                let ($($optimizer,)*) = self;
                vec![$(BoundOptimizer::of($optimizer)),*]
            }
        }
    };
    (@count $loss:ident) => { usize };
}
tuples!(A OA a);
tuples!(A OA a, B OB b);
tuples!(A OA a, B OB b, C OC c);
tuples!(A OA a, B OB b, C OC c, D OD d);
tuples!(A OA a, B OB b, C OC c, D OD d, E OE e);
tuples!(A OA a, B OB b, C OC c, D OD d, E OE e, G OG g);
tuples!(A OA a, B OB b, C OC c, D OD d, E OE e, G OG g, H OH h);
tuples!(A OA a, B OB b, C OC c, D OD d, E OE e, G OG g, H OH h, I OI i);
