//! Update rules on the CPU against the interpreter.
//!
//! In: the rules of the library, and one that is not in it. Out: the first element that differs. Never: a GPU.

use std::collections::BTreeMap;

use diabolo_compiler::emit::cuda;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::lower::SlotKind;
use diabolo_compiler::testing::Rng;
use diabolo_cuda_tests::{emulator, play};
use diabolo_kernels::cuda::emulate::Memory;
use diabolo_kernels::cuda::{Argument, Clock, Recorder, Space, at};

#[allow(dead_code)] // each of its readers needs a part
#[path = "../../differential/graphs.rs"]
mod graphs;

#[test]
fn update_rules_mean_what_the_interpreter_says() {
    for name in graphs::RULES {
        let rule = graphs::rule(name);
        let text = cuda::optimizer(name, &rule).unwrap_or_else(|error| panic!("{name}: {error}"));
        let Some(emulator) = emulator(&[text.source.as_str()], false) else { return };
        let mut rng = Rng(3);
        // More than a grid that is full, and a remainder.
        let count = 5000;
        let mut draw = |low: f64, high: f64| {
            (0..count).map(|_| f64::from(rng.between(low, high) as f32)).collect::<Vec<f64>>()
        };
        let (weights, grads) = (draw(-1.0, 1.0), draw(-1.0, 1.0));
        let kept: Vec<Vec<f64>> = (0..rule.moments()).map(|_| draw(0.0, 1.0)).collect();
        let hypers: Vec<f64> = rule.graph.hypers.iter().map(|hyper| hyper.default.unwrap_or(0.01)).collect();

        let mut rest = kept.iter();
        let inputs = rule.slots.iter().map(|slot| match slot.kind {
            SlotKind::Weight => weights.clone(),
            SlotKind::Gradient => grads.clone(),
            SlotKind::Moment => rest.next().expect("as many as the rule has").clone(),
            SlotKind::Step => vec![7.0],
        });
        let inputs = Inputs {
            inputs: inputs.collect(),
            hypers: hypers.clone(),
            symbols: [("N".to_owned(), count)].into(),
            ..Inputs::default()
        };
        let expected = interpret(&rule.graph, &inputs).expect("the rule can be interpreted");

        let cast = |list: &[f64]| list.iter().map(|x| *x as f32).collect::<Vec<f32>>();
        let params = std::iter::once(&weights).chain(&kept).enumerate();
        let params = params.map(|(i, values)| (Space::Param(i), cast(values)));
        let given = [(Space::Gradients, cast(&grads)), (Space::Hypers, cast(&hypers))];
        let memory = Memory {
            spaces: params.chain(given).collect::<BTreeMap<_, _>>(),
            clock: Clock { step: 7, ..Clock::default() },
        };
        let kernel: &'static str = Box::leak(format!("{name}_update").into_boxed_str());
        let mut to = Recorder::default();
        let read = |space| Argument::Pointer(at(space, 0));
        let kept_at = |i| Argument::Output(at(Space::Param(i), 0));
        let arguments: Vec<Argument> = [kept_at(0), read(Space::Gradients)]
            .into_iter()
            .chain((1..=kept.len()).map(kept_at))
            .chain([read(Space::Hypers), Argument::Clock, Argument::Size(count)])
            .collect();
        to.each(kernel, count, &arguments);
        let memory = play(&emulator, &to.finish(), &memory);
        for (i, output) in rule.graph.outputs.iter().enumerate() {
            let (want, found) = (&expected[output.node], &memory.spaces[&Space::Param(i)]);
            let near = want.data.iter().zip(found).zip(&want.scale);
            let far = near.into_iter().position(|((a, b), s)| (a - f64::from(*b)).abs() > 1e-5 * s);
            assert_eq!(far, None, "{name}: {:?}", output.role);
        }
    }
}
