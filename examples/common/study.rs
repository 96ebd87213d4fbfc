//! One run of an example that learns digits: its data, its training, its figures.
//!
//! In: losses and functions of the example. Out: a trained model, pictures, a table. Never: a figure that was
//! not computed by this run.

use clap::Args;
use diabolo::baseline::{Pca, mean_image_error};
use diabolo::data::{Array, Digits};
use diabolo::kernels::Float;
use diabolo::program::{IntoRoot, Loss, Root};
use diabolo::report::{self, Figures};
use diabolo::{Error, Losses, Model, Result, Trainer};

use crate::{Defaults, Flags, NoMore, Trial};

/// The pairs in the picture of reconstructions.
const PICTURED: usize = 24;
/// The images in a picture of samples, and in a line of it.
const SAMPLES: usize = 60;
const LINE: usize = 12;

/// A run of an example that learns digits.
pub struct Study {
    /// What was asked for, and the folder.
    pub trial: Trial,
    /// The data.
    pub digits: Digits,
}

impl Study {
    /// Reads the command line and the data, and makes a folder.
    ///
    /// # Errors
    /// Where the data cannot be read or the folder cannot be made.
    pub fn begin(name: &'static str, defaults: Defaults) -> Result<Study> {
        Study::begin_with(name, defaults).map(|(study, NoMore {})| study)
    }

    /// The same for an example with flags of its own.
    ///
    /// # Errors
    /// As [`Study::begin`].
    pub fn begin_with<E: Args>(name: &'static str, defaults: Defaults) -> Result<(Study, E)> {
        let (flags, more) = Flags::of_digits(name, defaults);
        let (digits, trial) = (flags.digits()?, Trial::of(flags)?);
        println!(
            "{name}: {}, {} rows to train on, {} to test with",
            digits.name,
            digits.train.rows(),
            digits.test.rows()
        );
        Ok((Study { trial, digits }, more))
    }

    /// Trains a loss as the flags say; the folder gets metrics, the curve and the parameters, named after it.
    ///
    /// # Errors
    /// Those of training, and where the folder cannot be written.
    pub fn train<L: Loss>(&self, loss: impl IntoRoot<Root = L>) -> Result<Model> {
        self.fit(Trainer::new(loss))
    }

    /// The same for a trainer with settings of its own.
    ///
    /// # Errors
    /// As [`Study::train`].
    pub fn fit<L: Losses>(&self, trainer: Trainer<L>) -> Result<Model> {
        self.trial.fit(trainer, &self.digits.train)
    }

    /// Runs a function over the test images.
    ///
    /// # Errors
    /// Those of [`Model::run`].
    pub fn on_test<I: IntoRoot>(&self, model: &Model, function: I) -> Result<Array<f32>>
    where
        I::Root: Root<Results<f32> = Array<f32>>,
    {
        model.run(function, &self.digits.test)
    }

    /// Draws test images above what a model makes of them.
    ///
    /// # Errors
    /// Where the picture cannot be written.
    pub fn picture(&self, name: &str, outputs: &Array<f32>) -> Result<()> {
        let inputs = self.digits.test.take(PICTURED)?.array::<f32>("x")?;
        report::reconstructions(
            self.trial.run.path(&format!("{name}.png")),
            &inputs,
            outputs,
            self.digits.shape,
        )
    }

    /// Draws samples: `function` takes no input and returns images.
    ///
    /// # Errors
    /// Those of [`Model::run`], and where the picture cannot be written.
    pub fn samples<I: IntoRoot>(&self, model: &Model, function: I) -> Result<()>
    where
        I::Root: Root<Results<f32> = Array<f32>>,
    {
        let images = model.run(function, &SAMPLES)?;
        report::grid(self.trial.run.path("samples.png"), &images, self.digits.shape, LINE)
    }

    /// Draws rows of weights as images, each at its own scale: grey is 0, white the largest in size, or black.
    ///
    /// # Errors
    /// Where the picture cannot be written.
    pub fn weights<F: Float>(&self, name: &str, rows: &Array<F>) -> Result<()> {
        let scaled = |row: &[F]| -> Vec<F> {
            let largest = row.iter().fold(f64::MIN_POSITIVE, |max, v| v.to_f64().abs().max(max));
            row.iter().map(|v| F::from_f64(0.5 + 0.5 * v.to_f64() / largest)).collect()
        };
        let images: Vec<Vec<F>> = rows.iter().map(scaled).collect();
        let path = self.trial.run.path(&format!("{name}.png"));
        report::grid(path, images.iter().map(Vec::as_slice), self.digits.shape, LINE)
    }

    /// The mean squared error of outputs against the test images, summed over pixels.
    ///
    /// # Errors
    /// [`Error::Shape`] where the outputs are not images of the same number and size.
    pub fn squared_error(&self, outputs: &Array<f32>) -> Result<f64> {
        let x = self.digits.test.array::<f32>("x")?;
        if x.shape() != outputs.shape() {
            return Err(Error::Shape {
                thing: "outputs".into(),
                expected: format!("{:?}", x.shape()),
                found: format!("{:?}", outputs.shape()),
                place: "squared_error".into(),
            });
        }
        let difference = |(x, y): (&f32, &f32)| f64::from(x - y).powi(2);
        Ok(x.values().iter().zip(outputs.values()).map(difference).sum::<f64>() / x.rows() as f64)
    }

    /// Principal components of the training images.
    ///
    /// # Errors
    /// Where there are fewer pixels than components.
    pub fn pca(&self, components: usize) -> Result<Pca> {
        Pca::fit(&self.digits.train, "x", components)
    }

    /// How much of each principal component u a reconstruction keeps: uᵀ f(u), which is the gain where f is linear.
    ///
    /// # Errors
    /// Those of [`Model::run`].
    pub fn gains<I: IntoRoot>(&self, model: &Model, reconstruct: I, pca: &Pca) -> Result<Vec<f64>>
    where
        I::Root: Root<Results<f32> = Array<f32>>,
    {
        let components = pca.components();
        let values = components.values().iter().map(|value| *value as f32).collect();
        let components = Array::new(components.shape(), values)?;
        let outputs = model.run(reconstruct, &components)?;
        let dot = |(u, v): (&[f32], &[f32])| u.iter().zip(v).map(|(u, v)| f64::from(u * v)).sum();
        Ok(components.iter().zip(outputs.iter()).map(dot).collect())
    }

    /// Prints squared errors beside those of PCA with a code of the same size and of the mean image.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn conclude(&self, rows: &[(&str, f64)], code: usize) -> Result<()> {
        let Digits { train, test, .. } = &self.digits;
        let figures = Figures::new("squared error per test image");
        let figures = rows.iter().fold(figures, |figures, (name, error)| figures.row(name, *error));
        let figures = figures
            .row(&format!("PCA, {code} components"), self.pca(code)?.squared_error(test)?)
            .row("mean image", mean_image_error(train, test, "x")?);
        self.trial.conclude(&figures)
    }
}
