//! Programs for a device, as an annotated function brings them: one for each mode and each choice of sizes.
//!
//! In: a loss with sizes, an update rule. Out: what they would launch. Never: a device.

use diabolo::kernels::cuda::{Command, Recorder};
use diabolo::nn::{dense, squared_error};
use diabolo::prelude::*;
use diabolo::program::{Loss, Optimizer, Root};

#[network]
fn narrow<const K: usize>(x: Tensor<B, 10>) -> Tensor<B, 10> {
    dense(tanh(dense(x, K)), 10)
}

#[loss]
fn squeezed<#[values(3, 5)] const K: usize>(x: Tensor<B, 10>) -> Tensor<B> {
    squared_error(narrow::<K>(x), x)
}

/// Products of a tape whose result has rows of so many elements.
fn products(commands: &[Command], columns: usize) -> usize {
    let wide = |command: &&Command| matches!(command, Command::Product(p) if p.n.iter().map(|axis| axis.size).product::<usize>() == columns);
    commands.iter().filter(wide).count()
}

#[test]
fn each_choice_of_sizes_has_a_program_for_each_mode() {
    for k in [3, 5] {
        let loss = squeezed { K: k };
        let (train, evaluate) = (loss.train_cuda().unwrap(), loss.evaluate_cuda().unwrap());
        let [train, evaluate] = [train, evaluate].map(|program| Recorder::record(program, &[128]));
        // Forwards, backwards, and the gradient of the first weight.
        assert_eq!(products(&train.commands, k), 3);
        assert_eq!(products(&evaluate.commands, k), 1);
        assert_eq!(products(&train.commands, 8 - k), 0);
    }
}

#[test]
fn an_update_rule_has_one_launch() {
    let program = Adam::update_cuda().unwrap();
    let tape = Recorder::record(program, &[1000]);
    let [Command::Launch(launch)] = tape.commands.as_slice() else { panic!("{tape:?}") };
    assert!(program.source.contains(&format!("void {}(", launch.kernel)));
    assert_eq!(launch.arguments.len(), 2 + Adam::MOMENTS + 3);
    assert_eq!(tape.work, 0);
}
