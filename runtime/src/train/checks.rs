//! What is looked at before training starts.
//!
//! In: settings, data, losses. Out: an error, or what to say. Never: a look at the values of parameters.

use diabolo_kernels::Float;

use super::Settings;
use super::learner::Learner;
use crate::data::Data;
use crate::error::{Error, Result};

/// The paths of parameters that some loss uses and none trains.
pub(super) fn untrained<F: Float>(learners: &[Learner<F>]) -> Vec<String> {
    let specs = || learners.iter().map(|learner| learner.session.spec);
    let trained =
        |path: &str| specs().any(|spec| spec.trained.iter().any(|param| spec.params[*param].path == path));
    let mut paths: Vec<String> = Vec::new();
    for param in specs().flat_map(|spec| spec.params) {
        if !param.state && !trained(param.path) && !paths.iter().any(|path| path == param.path) {
            paths.push(param.path.to_owned());
        }
    }
    paths
}

/// Settings that cannot train.
pub(super) fn check(
    settings: &Settings,
    data: &Data,
    names: impl Iterator<Item = &'static str>,
) -> Result<()> {
    if data.rows() == 0 {
        return Err(Error::Empty { what: "the data".to_owned() });
    }
    if settings.batch == 0 {
        return Err(Error::config("a batch of 0 rows cannot train"));
    }
    if !(0.0..1.0).contains(&settings.validation) {
        return Err(Error::config(format!("validation takes a share in 0..1, not {}", settings.validation)));
    }
    if settings.clip_norm.is_some_and(|norm| norm.is_nan() || norm <= 0.0) {
        return Err(Error::config("clip_norm takes a positive norm"));
    }
    let names: Vec<&str> = names.collect();
    for (at, name) in names.iter().enumerate() {
        if settings.every.get(at) == Some(&0) {
            return Err(Error::config(format!(
                "every: `{name}` would never take a step; leave it out instead"
            )));
        }
        if names[..at].contains(name) {
            return Err(Error::config(format!(
                "`{name}` stands twice among the losses, and its parts would be logged under one name"
            )));
        }
    }
    Ok(())
}
