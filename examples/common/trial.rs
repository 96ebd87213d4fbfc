//! One run of an example, whatever its data: its flags, its folder, its training.
//!
//! In: the command line, trainers. Out: trained models, and in the folder their metrics, curves and parameters.
//! Never: a figure that was not computed by this run.

use std::sync::{Arc, Mutex};

use clap::Args;
use diabolo::data::Data;
use diabolo::kernels::Float;
use diabolo::report::{self, Figures, Run};
use diabolo::{Adam, Losses, Model, Optimizers, Result, Trainer};

use crate::{Defaults, Flags, NoMore};

/// A run of an example.
pub struct Trial {
    /// What was asked for.
    pub flags: Flags,
    /// The folder.
    pub run: Run,
}

impl Trial {
    /// Reads the command line of an example that makes its data itself, and makes a folder.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    pub fn begin(name: &'static str, defaults: Defaults) -> Result<Trial> {
        Trial::begin_with(name, defaults).map(|(trial, NoMore {})| trial)
    }

    /// The same for an example with flags of its own.
    ///
    /// # Errors
    /// As [`Trial::begin`].
    pub fn begin_with<E: Args>(name: &'static str, defaults: Defaults) -> Result<(Trial, E)> {
        let (flags, more) = Flags::alone(name, defaults);
        Ok((Trial::of(flags)?, more))
    }

    /// A run with these flags, in a fresh folder.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    pub fn of(flags: Flags) -> Result<Trial> {
        let run = flags.run()?;
        Ok(Trial { flags, run })
    }

    /// Trains with Adam as the flags say; the folder gets metrics, the curve and the parameters, named after the loss.
    ///
    /// # Errors
    /// Those of training, and where the folder cannot be written.
    pub fn fit<L: Losses, F: Float>(&self, trainer: Trainer<L, Adam, F>, data: &Data) -> Result<Model<F>> {
        self.fit_with(trainer.optimizer(Adam::new(self.flags.lr as f32)), data)
    }

    /// The same from a trained model on; networks that it lacks start afresh.
    ///
    /// # Errors
    /// As [`Trial::fit`], and where the model's parameters are those of other networks.
    pub fn resume<L: Losses, F: Float>(
        &self,
        trainer: Trainer<L, Adam, F>,
        model: Model<F>,
        data: &Data,
    ) -> Result<Model<F>> {
        self.train(trainer.optimizer(Adam::new(self.flags.lr as f32)), Some(model), data)
    }

    /// The same with the trainer's own optimizers.
    ///
    /// # Errors
    /// As [`Trial::fit`].
    pub fn fit_with<L: Losses, O: Optimizers<L>, F: Float>(
        &self,
        trainer: Trainer<L, O, F>,
        data: &Data,
    ) -> Result<Model<F>> {
        self.train(trainer, None, data)
    }

    fn train<L: Losses, O: Optimizers<L>, F: Float>(
        &self,
        trainer: Trainer<L, O, F>,
        from: Option<Model<F>>,
        data: &Data,
    ) -> Result<Model<F>> {
        let curves: Arc<Mutex<Vec<Curve>>> = Arc::default();
        let seen = Arc::clone(&curves);
        let Flags { epochs, batch, seed, .. } = self.flags;
        // Sizes and lists are no part of a file's name: `vanilla<8>` is vanilla-8.
        let name = trainer.name()?.replace(", ", "-").replace('<', "-").replace('>', "");
        let trainer =
            trainer.epochs(epochs).batch(batch).seed(seed).record(&self.run).on_epoch(move |epoch| {
                let Ok(mut curves) = seen.lock() else { return };
                for (name, value) in epoch.parts() {
                    match curves.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, points)) => points.push((epoch.epoch as f64, value)),
                        None => curves.push((name, vec![(epoch.epoch as f64, value)])),
                    }
                }
            });
        let model = match from {
            Some(model) => trainer.resume(model, data)?,
            None => trainer.fit(data)?,
        };
        if let Ok(curves) = curves.lock() {
            let series: Vec<(&str, Vec<(f64, f64)>)> =
                curves.iter().map(|(name, points)| (name.as_str(), points.clone())).collect();
            report::curve(self.run.path(&format!("{name}-curve.png")), &name, ["epoch", "loss"], &series)?;
        }
        model.save(self.run.path(&format!("{name}.safetensors")))?;
        Ok(model)
    }

    /// Prints figures, keeps them in the folder, and says where it is.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn conclude(&self, figures: &Figures) -> Result<()> {
        self.run.figures(figures)?;
        println!("\n{figures}\n\npictures, curves, metrics and parameters: {}", self.run.folder().display());
        Ok(())
    }
}

/// A named value over epochs.
type Curve = (String, Vec<(f64, f64)>);
