//! Row 34: the sigmoid autoencoder as the energy of a belief net.
//!
//! | mutation | test | what it gave |
//! | - | - | - |
//! | ½ left out of ½‖x − c‖² | `the_reconstruction_less_the_input…` | off by 3.76 |
//! | the same | `the_energy_is_that_of_the_sum…` | 5.21, −0.598 expected |
//! | ReLU in the place of softplus | both | off by 2.47; 4.06, −0.598 expected |
//! | tanh in the place of the sigmoid | `the_reconstruction_less_the_input…` | off by 2.70 |

use common as _;
use diabolo::Model;
use diabolo::data::{Array, digits};
use diabolo::prelude::*;
use diabolo_acceptance::statistics::normals;

#[allow(dead_code)]
#[path = "../../../examples/energy.rs"]
mod energy;

const PIXELS: usize = 64;
const UNITS: usize = 128;

fn trained() -> Model<f64> {
    let train = digits().train.take(500).unwrap();
    Trainer::new(energy::denoising)
        .precision::<f64>()
        .epochs(5)
        .batch(64)
        .seed(7)
        .quiet()
        .fit(&train)
        .unwrap()
}

/// At digits, and where there are none.
fn points() -> Array<f64> {
    let mut values = digits().test.take(50).unwrap().array::<f64>("x").unwrap().into_values();
    values.extend(normals(50 * PIXELS, 1));
    Array::new(&[100, PIXELS], values).unwrap()
}

#[test]
fn the_reconstruction_less_the_input_is_minus_the_slope_of_the_energy() {
    let model = trained();
    let points = points();
    let worst = model.run(energy::gap, &points).unwrap().into_values().into_iter().fold(0.0, f64::max);
    assert!(worst < 1e-6, "{worst:e}");
    // Without `grad`: central differences of the energy.
    let r = model.run(energy::reconstruct, &points).unwrap();
    let h = 1e-4;
    for pixel in [0, 20, 37, 63] {
        let beside = |by: f64| {
            let mut moved = points.values().to_vec();
            moved.iter_mut().skip(pixel).step_by(PIXELS).for_each(|x| *x += by);
            model.run(energy::free_energy, &Array::new(points.shape(), moved).unwrap()).unwrap().into_values()
        };
        for (row, (above, below)) in beside(h).iter().zip(beside(-h)).enumerate() {
            let way = r.values()[row * PIXELS + pixel] - points.values()[row * PIXELS + pixel];
            let slope = (above - below) / (2.0 * h);
            assert!((way + slope).abs() < 1e-6, "row {row}, pixel {pixel}: {way} and {slope}");
        }
    }
}

/// exp(−F(x)) = Σ_h exp(−½‖x − c‖² + hᵀ(Wx + b)), over all h of the eight units that are not switched off.
#[test]
fn the_energy_is_that_of_the_sum_over_all_hidden_states() {
    const ON: usize = 8;
    let mut model = trained();
    let of = |model: &Model<f64>, path: &str| model.parameter(path).unwrap().into_values();
    let (mut w, mut b) = (of(&model, "weight.weight"), of(&model, "hidden_bias.weight"));
    let c = of(&model, "visible_bias.weight");
    w[ON * PIXELS..].fill(0.0);
    b[ON..].fill(-1e3); // exp(−1000) is 0
    model.set_parameter("weight.weight", &Array::new(&[UNITS, PIXELS], w.clone()).unwrap()).unwrap();
    model.set_parameter("hidden_bias.weight", &Array::new(&[UNITS], b.clone()).unwrap()).unwrap();
    let points = points();
    let energies = model.run(energy::free_energy, &points).unwrap();
    for (x, energy) in points.iter().zip(energies.values()) {
        let distance: f64 = x.iter().zip(&c).map(|(x, c)| (x - c) * (x - c)).sum();
        let inputs: Vec<f64> = (0..ON)
            .map(|k| b[k] + w[k * PIXELS..][..PIXELS].iter().zip(x).map(|(w, x)| w * x).sum::<f64>())
            .collect();
        let state = |h: u32| (0..ON).filter(|k| h >> k & 1 == 1).map(|k| inputs[k]).sum::<f64>().exp();
        let sum: f64 = (0..1u32 << ON).map(state).sum();
        let expected = 0.5 * distance - sum.ln();
        assert!((energy - expected).abs() < 1e-10 * (1.0 + expected.abs()), "{energy} and {expected}");
    }
}
