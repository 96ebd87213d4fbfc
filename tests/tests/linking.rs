//! Annotated functions find each other wherever Rust does: across modules, function bodies and crates, under
//! other names, in any order.

#![forbid(unsafe_code)]
#![deny(warnings, unused, dead_code, missing_docs)]

use codes::{decode, embed};
use diabolo::prelude::*;
use diabolo::program::{Declared, IntoRoot, Root, Spec};
use nets::make_network;

/// What is known of a root.
fn spec<I: IntoRoot>(root: I) -> &'static Spec
where
    I::Root: Root,
{
    root.into_root().spec().expect("compiled for these sizes")
}

/// The names of a root's parameters.
fn params<I: IntoRoot>(root: I) -> Vec<&'static str>
where
    I::Root: Root,
{
    spec(root).params.iter().map(|p| p.path).collect()
}

// Before what it calls, which stands below and in modules.
#[loss]
fn vanilla(x: Tensor<B, 8>, #[default(0.5)] beta: f32) -> Tensor<B> {
    beta * measure::distance(decode(embed(x)), x) + crate::measure::distance(x, x)
}

mod measure {
    use diabolo::prelude::*;

    #[function]
    pub(crate) fn distance(a: Tensor<B, 8>, b: Tensor<B, 8>) -> Tensor<B> {
        sum_squares(a - b)
    }
}

#[test]
fn across_three_crates_and_renamed_on_the_way() {
    assert_eq!(
        params(vanilla),
        ["encode.hidden0.linear0.weight", "encode.hidden0.linear1.weight", "decode.linear0.weight"]
    );
    let identity = vanilla::identity(&[2]);
    assert_eq!(identity, <nets::encode as Declared>::identity(&[]));
    assert!(identity.place.starts_with("nets::encode (src/lib.rs:"), "{}", identity.place);
}

#[test]
fn a_loss_is_a_struct_of_its_hyperparameters_and_a_function_of_their_defaults() {
    assert_eq!(vanilla().beta, 0.5);
    assert_eq!(Root::hypers(&vanilla { beta: 0.25 }), [0.25]);
    let roots =
        (diabolo::program::IntoRoot::into_root(vanilla), diabolo::program::IntoRoot::into_root(vanilla()));
    assert_eq!(roots.0.beta, roots.1.beta);
    // A local name may hide it.
    let vanilla = vanilla { beta: 1.0 };
    assert_eq!(vanilla.beta, 1.0);
}

#[loss]
fn without_default(x: Tensor<B, 8>, scale: f32) -> Tensor<B> {
    scale * vanilla(x, beta = 2.0)
}

#[test]
fn a_hyperparameter_without_default_is_an_argument() {
    assert_eq!(without_default(0.2).scale, 0.2);
    assert_eq!(params(without_default(0.5)), params(vanilla));
    assert_eq!(without_default::identity(&[0, 2]), <nets::encode as Declared>::identity(&[]));
}

#[test]
fn inside_a_function_body() {
    use nets::linear;

    #[encoder]
    fn small(x: Tensor<B, 8>) -> Tensor<B, 2> {
        linear(x, 2)
    }

    #[loss]
    fn size(x: Tensor<B, 8>) -> Tensor<B> {
        sum_squares(small(x)) + vanilla(x)
    }

    assert_eq!(params(size).len(), 4);
}

#[loss]
fn by_value(x: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(jacobian(embed, x)) + sum_squares(nets::twice(same, x))
}

#[function]
fn same(x: Tensor<B, 8>) -> Tensor<B, 8> {
    exp(x)
}

#[test]
fn functions_as_values() {
    assert_eq!(params(by_value), ["encode.hidden0.linear0.weight", "encode.hidden0.linear1.weight"]);
    assert_eq!(by_value::identity(&[2]), same::identity(&[]));
}

#[loss]
fn by_name(x: Tensor<B, 8>) -> Tensor<B> {
    let f = embed;
    let (g, twice) = (same, nets::twice);
    sum_squares(jacobian(f, x)) + sum_squares(twice(g, x)) + sum_squares(twice(exp, x))
}

#[test]
fn functions_under_a_local_name() {
    assert_eq!(params(by_name), params(by_value));
}

#[function]
fn slope(x: Tensor<B, 8>) -> Tensor<B, 8> {
    grad(|x| sum(x * x * nets::clip_gradient(x, 0.5)), x)
}

#[test]
fn a_derivative_by_hand_comes_with_its_function() {
    let values: Vec<f64> = (0..8).map(|i| 0.3 * f64::from(i) - 1.0).collect();
    let x = diabolo::data::Array::new(&[1, 8], values.clone()).expect("eight");
    let model = diabolo::Model::<f64>::untrained(slope, 0).expect("no parameters");
    let found = model.run(slope, &x).expect("runs");
    for (x, slope) in values.iter().zip(found.values()) {
        let expected = 2.0 * x * x + (x * x).clamp(-0.5, 0.5);
        assert!((slope - expected).abs() < 1e-12, "{slope} at {x} instead of {expected}");
    }
}

mod library {
    pub use nets::narrow;

    /// A path that text alone cannot hold: `$crate` with sizes.
    macro_rules! at_two {
        ($name:ident) => {
            #[diabolo::prelude::function]
            fn $name(x: Tensor<B, 8>) -> Tensor<B, 2> {
                $crate::library::narrow::<2>(x)
            }
        };
    }
    pub(crate) use at_two;
}
library::at_two!(at_two);

#[loss]
fn at_sizes(x: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(nets::narrow::<3>(x)) + sum_squares(at_two(x))
}

#[test]
fn a_network_with_sizes_of_another_crate() {
    assert_eq!(params(at_sizes), ["narrow<3>.linear0.weight", "narrow<2>.linear0.weight"]);
    assert_eq!(at_sizes::identity(&[0]), nets::narrow::<2>().identity_of_self());
}

trait IdentityOfSelf: Declared {
    fn identity_of_self(&self) -> diabolo::program::Identity {
        Self::identity(&[])
    }
}
impl IdentityOfSelf for nets::narrow {}

make_network!(one, 8);
make_network!(two, 8);

#[loss]
fn both(x: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(one(x) - two(x)) + sum_squares(one(x))
}

#[test]
fn two_networks_of_one_macro_are_two() {
    assert_eq!(params(both), ["one.linear0.weight", "two.linear0.weight"]);
    assert_ne!(both::identity(&[0]), both::identity(&[1]));
}

/// One place, one name, two functions.
macro_rules! module {
    ($module:ident, $width:expr) => {
        mod $module {
            use diabolo::prelude::*;

            #[function]
            pub(super) fn first(x: Tensor<B, 8>) -> Tensor<B, { $width }> {
                slice(x, axis = 1, start = 0, end = $width)
            }
        }
    };
}
module!(two_columns, 2);
module!(three_columns, 1 + 2);

#[function]
fn columns(x: Tensor<B, 8>) -> (Tensor<B, 2>, Tensor<B, 3>) {
    (two_columns::first(x), three_columns::first(x))
}

#[test]
fn two_functions_of_one_place_and_one_name_are_two() {
    use diabolo::program::Axis;
    let shapes: Vec<_> = spec(columns).outputs.iter().map(|o| o.shape).collect();
    assert_eq!(shapes, [[Axis::Known(2)], [Axis::Known(3)]]);
}

#[loss]
fn renamed_crate(x: Tensor<B, 8>) -> Tensor<B> {
    renamed::size(x, weight = 3.0) + sum_squares(renamed::scale(x))
}

#[test]
fn a_crate_that_knows_diabolo_by_another_name() {
    assert_eq!(params(renamed::size), ["scale.scaled0.scale"]);
    assert_eq!(params(renamed_crate), ["scale.scaled0.scale"]);
    assert_eq!(renamed::size().weight, 2.0);
}

#[constant]
const STEPS: usize = 2;
#[constant]
const RATE: f32 = 0.5;

#[function]
fn decayed(x: Tensor<B, STEPS>) -> Tensor<B, { STEPS * nets::WIDTH }> {
    let mut y = x;
    for _ in 0..STEPS {
        y = RATE * y;
    }
    concat(y, y, y)
}

#[test]
fn constants_are_linked_like_functions() {
    use diabolo::program::Axis;
    assert_eq!(spec(decayed).inputs[0].shape, [Axis::Known(2)]);
    assert_eq!(spec(decayed).outputs[0].shape, [Axis::Known(6)]);
}

#[loss]
fn watches(x: Tensor<B, 8>) -> Tensor<B> {
    sum_squares(nets::watched(x))
}

#[test]
fn what_is_linked_keeps_its_own_lines() {
    assert_eq!(spec(watches).inspects, [("seen", format!("src/lib.rs:{}", nets::WATCHED_LINE).as_str())]);
}

mod tests {
    use super::*;

    #[loss]
    fn outer(x: Tensor<B, 8>) -> Tensor<B> {
        vanilla(x) + measure::distance(x, x)
    }

    #[test]
    fn through_a_glob_of_the_module_above() {
        assert_eq!(params(outer).len(), 3);
    }
}
