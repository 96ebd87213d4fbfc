//! What the schedule makes of whole training steps, as texts: `tests/golden/schedule_*.txt`. `DIABOLO_BLESS=1`
//! writes them anew.

use diabolo_compiler::graph::Graph;
use diabolo_compiler::link::from_source;
use diabolo_compiler::lower::Mode;
use diabolo_compiler::pipeline;
use diabolo_compiler::schedule::{Home, Op, Segment, Stage, Step, print, schedule};
use diabolo_compiler::size::Size;

const PROGRAMS: &str = r#"
#[encoder]
fn encode(x: Tensor<B, 784>) -> Tensor<B, 64> {
    dense(relu(dense(x, 256)), 64)
}

#[decoder]
fn decode(z: Tensor<B, 64>) -> Tensor<B, 784> {
    dense(relu(dense(z, 256)), 784)
}

#[encoder]
fn remember(x: Tensor<B, T, 8>) -> Tensor<B, 32> {
    last(gru(x, 32))
}

#[decoder]
fn recall(z: Tensor<B, 32>) -> Tensor<B, 8> {
    dense(z, 8)
}

#[loss]
fn recurrent(x: Tensor<B, T, 8>) -> Tensor<B> {
    squared_error(recall(remember(x)), last(x))
}

/// Carries that change places, each read before the other one changes.
#[loss]
fn exchange(x: Tensor<B, T, 5>) -> Tensor<B> {
    let (a, b) = scan(|(a, b), x_t| (b, a), (0.5 * last(x), last(x)), x);
    sum_squares(a - 2.0 * b)
}

#[loss]
fn dense_autoencoder(x: Tensor<B, 784>) -> Tensor<B> {
    bce_with_logits(decode(encode(x)), x)
}

#[encoder]
fn posterior(x: Tensor<B, 64>) -> (Tensor<B, 8>, Tensor<B, 8>) {
    let h = relu(dense(x, 32));
    (dense(h, 8), dense(h, 8))
}

#[decoder]
fn likelihood(z: Tensor<B, 8>) -> Tensor<B, 64> {
    dense(relu(dense(z, 32)), 64)
}

#[loss]
fn vae(x: Tensor<B, 64>, #[default(1.0)] beta: f32) -> Tensor<B> {
    let (mean, logvar) = posterior(x);
    let z = mean + exp(0.5 * logvar) * normal_like(mean);
    let recon = bce_with_logits(likelihood(z), x);
    let kl = kl_normal(mean, logvar);
    recon + beta * kl
}

#[encoder]
fn hidden(x: Tensor<B, 784>) -> Tensor<B, 256> {
    sigmoid(dense(x, 256))
}

#[decoder]
fn shown(h: Tensor<B, 256>) -> Tensor<B, 784> {
    dense(h, 784)
}

#[loss]
fn contractive(x: Tensor<B, 784>, #[default(0.1)] lambda: f32) -> Tensor<B> {
    squared_error(shown(hidden(x)), x) + lambda * sum_squares(jacobian(hidden, x))
}

/// 784-128-32: the Jacobian of two layers.
#[encoder]
fn deep(x: Tensor<B, 784>) -> Tensor<B, 32> {
    tanh(dense(tanh(dense(x, 128)), 32))
}

#[loss]
fn contractive_deep(x: Tensor<B, 784>, #[default(0.1)] lambda: f32) -> Tensor<B> {
    lambda * sum_squares(jacobian(deep, x))
}

#[loss]
fn matched(x: Tensor<B, 784>) -> Tensor<B> {
    let z = encode(x);
    squared_error(decode(z), x) + mmd(z, normal_like(z))
}

#[network]
fn template() -> Tensor<2, 5> {
    let seed: Tensor<3, 3> = param(normal_init(1.0));
    let weight: Tensor<2, 3, 3> = param(normal_init(1.0));
    fold(einsum("lc,okc->olk", seed, weight), axis = 2)
}

#[loss]
fn templates(x: Tensor<B, 2, 5>) -> Tensor<B> {
    sum_squares(template() - x)
}
"#;

fn graph(root: &str) -> Graph {
    let files = [
        ("programs.rs", PROGRAMS),
        ("nn/densities.rs", include_str!("../../../runtime/src/nn/densities.rs")),
        ("nn/errors.rs", include_str!("../../../runtime/src/nn/errors.rs")),
        ("nn/kernels.rs", include_str!("../../../runtime/src/nn/kernels.rs")),
        ("nn/layers.rs", include_str!("../../../runtime/src/nn/layers.rs")),
        ("nn/recurrent.rs", include_str!("../../../runtime/src/nn/recurrent.rs")),
    ];
    let said = |errors: diabolo_compiler::error::Errors| -> Graph {
        let list: Vec<&str> = errors.0.iter().map(|error| error.message.as_str()).collect();
        panic!("{root}: {}", list.join("\n"))
    };
    match from_source(&files, root) {
        Err(errors) => said(errors),
        Ok(linked) => pipeline::graph(&linked, Mode::Train, true, &mut |_, _| ()).unwrap_or_else(said),
    }
}

fn golden(root: &str) {
    let text = print::print(&schedule(&graph(root)).unwrap());
    let path = format!("{}/tests/golden/schedule_{root}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("DIABOLO_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{root} has changed; DIABOLO_BLESS=1 accepts it:\n{text}");
}

#[test]
fn dense_autoencoder() {
    golden("dense_autoencoder");
}

#[test]
fn variational() {
    golden("vae");
}

#[test]
fn contractive() {
    golden("contractive");
}

/// The triangular factor of the first weight comes before the rows, and none of them ever has a Jacobian.
#[test]
fn contractive_deep() {
    golden("contractive_deep");
    let plan = schedule(&graph("contractive_deep")).unwrap();
    let jacobian = Size::known(32 * 784);
    assert!(plan.buffers.iter().all(|buffer| !buffer.rows || buffer.elements != jacobian));
}

/// A value between the two, so that neither carry is overwritten before it is read.
#[test]
fn exchange() {
    golden("exchange");
}

/// Before the loop the product of all steps, in it one with the state; after it one for each weight's gradient.
#[test]
fn recurrent() {
    golden("recurrent");
}

fn stages(segments: &[Segment]) -> Vec<&Stage> {
    segments.iter().filter_map(Segment::stage).collect()
}

fn loops(stage: &Stage) -> impl Iterator<Item = &diabolo_compiler::schedule::Loop> {
    stage.steps.iter().filter_map(|step| match step {
        Step::Loop(l) => Some(l),
        Step::Product(_) | Step::Scan(_) | Step::Select(_) | Step::Factor(_) => None,
    })
}

/// One walk over the rows: forward, loss and backward; and one pass over the logits for loss, gradient, bias.
#[test]
fn a_training_step_is_one_stage_and_the_loss_is_one_pass() {
    let plan = schedule(&graph("dense_autoencoder")).unwrap();
    let stages = stages(&plan.segments);
    assert_eq!(stages.len(), 1);
    let transcendental =
        |op: &Op| matches!(op, Op::Map(row, _) if ["softplus", "sigmoid"].contains(&row.name));
    let with: Vec<_> = loops(stages[0]).filter(|l| l.body.iter().any(transcendental)).collect();
    assert_eq!(with.len(), 1);
    assert_eq!(with[0].body.iter().filter(|op| transcendental(op)).count(), 2);
    assert_eq!(with[0].body.iter().filter(|op| matches!(op, Op::Reduce { .. })).count(), 2);
    // All wide weight gradients in one list, straight to their place.
    let wide: Vec<_> = plan
        .segments
        .iter()
        .filter_map(|s| if let Segment::Wide(list) = s { Some(list) } else { None })
        .collect();
    assert_eq!(wide.iter().map(|list| list.len()).collect::<Vec<_>>(), [4]);
    let gradients = plan.buffers.iter().filter(|buffer| matches!(buffer.home, Home::Gradient(_))).count();
    assert_eq!(gradients, 8);
}

/// Random numbers are drawn again where they are read in order, never stored for a later pass.
#[test]
fn random_numbers_are_not_stored() {
    let plan = schedule(&graph("vae")).unwrap();
    let stages = stages(&plan.segments);
    let drawing = loops(stages[0]).filter(|l| l.body.iter().any(|op| matches!(op, Op::Random { .. })));
    assert_eq!(drawing.count(), 2);
    let random = |node| matches!(plan.graph.node(node).kind, diabolo_compiler::graph::Kind::Random { .. });
    assert!(!plan.buffers.iter().any(|buffer| random(buffer.node)));
}

/// Where rows meet, a stage ends.
#[test]
fn the_batch_ends_a_stage() {
    let plan = schedule(&graph("matched")).unwrap();
    assert!(stages(&plan.segments).len() >= 2);
}

/// The plan is the same every time: hash maps decide nothing.
#[test]
fn schedules_repeat() {
    for root in ["dense_autoencoder", "vae", "contractive", "matched"] {
        let first = print::print(&schedule(&graph(root)).unwrap());
        assert!((0..5).all(|_| print::print(&schedule(&graph(root)).unwrap()) == first), "{root}");
    }
}

/// Pieces that overlap: the innermost sum is the whole of a place for its piece only, so it joins what other pieces left
/// there, and begins with zeros.
#[test]
fn sums_of_overlapping_pieces_start_from_zeros() {
    let plan = schedule(&graph("templates")).expect("a schedule");
    let Some(Segment::Alone(steps)) = plan.segments.first() else { panic!("{}", print::print(&plan)) };
    let Some(Step::Loop(fold)) = steps.first() else { panic!("{}", print::print(&plan)) };
    assert_eq!(fold.fills.len(), 1, "{}", print::print(&plan));
    let inner = |op: &Op| match op {
        Op::Reduce { into, fresh, .. } => Some((into.strides.last().and_then(|s| s.value()), *fresh)),
        _ => None,
    };
    assert_eq!(fold.body.iter().find_map(inner), Some((Some(0), false)));
}
