//! The interpreter and the kernels agree: on random numbers.

use diabolo_compiler::graph::*;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::size::Size;
use diabolo_kernels::random::{self, Stream};

#[test]
fn random_numbers_are_those_of_the_kernels() {
    for (distribution, first_row) in [
        (Distribution::Normal, 0),
        (Distribution::Uniform, 0),
        (Distribution::Normal, 5),
        (Distribution::Uniform, 7),
    ] {
        let mut graph = Graph::default();
        let ty = Type { rows: vec![Size::batch()], features: vec![Size::known(3)] };
        graph.random(Distribution::Uniform, ty.clone());
        let node = graph.random(distribution, ty);
        let inputs = Inputs {
            symbols: [("B".to_owned(), 11)].into(),
            seed: 0x1234_5678_9abc_def0,
            step: 0xf_0000_0001,
            first_row,
            ..Inputs::default()
        };
        let values = interpret(&graph, &inputs).unwrap();
        let stream = Stream { seed: inputs.seed, step: inputs.step, site: 1 };
        let mut expected = vec![0.0f64; 33];
        match distribution {
            Distribution::Normal => random::normal(stream, 3 * first_row as u64, &mut expected),
            Distribution::Uniform => random::uniform(stream, 3 * first_row as u64, &mut expected),
        }
        for (got, expected) in values[node].data.iter().zip(expected) {
            assert!((got - expected).abs() < 2e-15 * expected.abs(), "{distribution:?}: {got} {expected}");
        }
    }
}
