//! How the learning rate changes.
//!
//! In: a share of training. Out: a factor of the optimizer's `lr`. Never: a state.

/// A factor of the learning rate over training.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Schedule {
    /// Always 1.
    Constant,
    /// From 1 to 0 along half a cosine (Loshchilov and Hutter 2017), after a rise over the share `warmup`.
    Cosine {
        /// The share of training in which the factor rises from 0 to 1.
        warmup: f64,
    },
    /// From 1 to 0 along a line, after a rise over the share `warmup`.
    Linear {
        /// The share of training in which the factor rises from 0 to 1.
        warmup: f64,
    },
}

impl Schedule {
    /// The factor at a share of training in [0, 1].
    pub fn factor(self, share: f64) -> f64 {
        let after = |warmup: f64| {
            if share < warmup {
                Err(share / warmup)
            } else {
                Ok((share - warmup) / (1.0 - warmup).max(1e-12))
            }
        };
        match self {
            Schedule::Constant => 1.0,
            Schedule::Cosine { warmup } => after(warmup)
                .map_or_else(|rise| rise, |t| 0.5 * (1.0 + (std::f64::consts::PI * t.min(1.0)).cos())),
            Schedule::Linear { warmup } => after(warmup).map_or_else(|rise| rise, |t| 1.0 - t.min(1.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_rise_then_fall_to_zero() {
        for schedule in [Schedule::Cosine { warmup: 0.1 }, Schedule::Linear { warmup: 0.1 }] {
            assert_eq!(schedule.factor(0.0), 0.0);
            assert!((schedule.factor(0.05) - 0.5).abs() < 1e-12);
            assert!((schedule.factor(0.1) - 1.0).abs() < 1e-12);
            assert!((schedule.factor(0.55) - 0.5).abs() < 1e-12);
            assert!(schedule.factor(1.0).abs() < 1e-12);
        }
        assert_eq!(Schedule::Constant.factor(0.7), 1.0);
    }
}
