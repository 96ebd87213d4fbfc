//! What is known after an epoch.
//!
//! In: means of losses. Out: the same by name. Never: a number that no loss computed.

use crate::model::Means;

/// What is known after an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// How many there will be.
    pub epochs: usize,
    /// Steps taken so far, of all losses together.
    pub step: u64,
    /// Each loss, in the order of the trainer.
    pub losses: Vec<LossReport>,
    /// Seconds since training began.
    pub seconds: f64,
}

/// What is known of one loss after an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct LossReport {
    /// The function's name.
    pub name: &'static str,
    /// Means over the rows of the epoch, in training mode, before each step.
    pub train: Means,
    /// Means over the validation rows, in evaluation mode.
    pub validation: Option<Means>,
}

impl EpochReport {
    /// Every value by name. Of one loss: `loss`, its parts (`recon`), and the loss on the validation rows
    /// (`validation`). Of several: `reconstruct`, `reconstruct.recon`, `reconstruct.validation`, and so on.
    pub fn parts(&self) -> Vec<(String, f64)> {
        let several = self.losses.len() > 1;
        let mut parts = Vec::new();
        for LossReport { name, train, validation } in &self.losses {
            let full = |part: &str| if several { format!("{name}.{part}") } else { part.to_owned() };
            parts.push((if several { (*name).to_owned() } else { "loss".to_owned() }, train.loss));
            parts.extend(train.parts.iter().map(|(part, value)| (full(part), *value)));
            parts.extend(validation.iter().map(|means| (full("validation"), means.loss)));
        }
        parts
    }
}
