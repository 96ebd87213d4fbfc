//! First values of parameters.
//!
//! In: a parameter's name, shape and initialiser, a seed. Out: its values, the same whatever else the model
//! holds. Never: an order of parameters that matters.

use diabolo_kernels::Float;
use diabolo_kernels::random::{self, Stream};

use crate::program::{Initial, ParamSpec};
use crate::projection::{Vectors, orthonormalise};

/// The site of initial values; sites of programs count up from 0.
const SITE: u32 = u32::MAX;

/// The values of a parameter, drawn by a stream of the seed and the parameter's name.
pub(crate) fn initial_values<F: Float>(param: &ParamSpec, seed: u64) -> Vec<F> {
    let mut values = vec![F::ZERO; param.shape.iter().product()];
    let stream = Stream { seed: seed ^ hash(param.path), step: 0, site: SITE };
    match param.initial {
        Initial::Constant(value) => values.fill(F::from_f64(value)),
        Initial::Normal(deviation) => {
            random::normal(stream, 0, &mut values);
            values.iter_mut().for_each(|v| *v *= F::from_f64(deviation));
        }
        Initial::Uniform(bound) => {
            random::uniform(stream, 0, &mut values);
            values.iter_mut().for_each(|v| *v = (*v + *v - F::ONE) * F::from_f64(bound));
        }
        Initial::Orthogonal => {
            random::normal(stream, 0, &mut values);
            values = orthonormal(values, param.shape.last().copied().unwrap_or(1).max(1));
        }
    }
    values
}

/// Turns random values into a row-major matrix with orthonormal rows, or columns where they are fewer.
fn orthonormal<F: Float>(mut values: Vec<F>, columns: usize) -> Vec<F> {
    let rows = values.len() / columns;
    let (count, len) = (rows.min(columns), rows.max(columns));
    orthonormalise(&mut values, Vectors { count, len, vector: len, element: 1 });
    if rows <= columns {
        return values;
    }
    (0..rows * columns).map(|i| values[i % columns * len + i / columns]).collect()
}

/// FNV-1a: a stable hash of a name.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(path: &'static str, shape: &'static [usize], initial: Initial) -> Vec<f64> {
        initial_values(&ParamSpec { path, network: 0, shape, initial, state: false }, 7)
    }

    #[test]
    fn orthogonal_is_orthonormal_along_the_shorter_side() {
        for shape in [&[5usize, 12] as &'static [usize], &[12, 5]] {
            let values = draw("w", shape, Initial::Orthogonal);
            let (rows, columns) = (shape[0], shape[1]);
            let n = rows.min(columns);
            let at = |v: usize, i: usize| {
                if rows <= columns { values[v * columns + i] } else { values[i * columns + v] }
            };
            for a in 0..n {
                for b in 0..n {
                    let dot: f64 = (0..rows.max(columns)).map(|i| at(a, i) * at(b, i)).sum();
                    assert!((dot - f64::from(u8::from(a == b))).abs() < 1e-12, "{shape:?} {a} {b}: {dot}");
                }
            }
        }
    }

    #[test]
    fn a_name_and_a_seed_fix_the_values() {
        let a = draw("encode.dense0.weight", &[8, 8], Initial::Uniform(0.5));
        assert_eq!(a, draw("encode.dense0.weight", &[8, 8], Initial::Uniform(0.5)));
        assert_ne!(a, draw("encode.dense1.weight", &[8, 8], Initial::Uniform(0.5)));
        assert!(a.iter().all(|v| v.abs() <= 0.5) && a.iter().any(|v| v.abs() > 0.4));
    }
}
