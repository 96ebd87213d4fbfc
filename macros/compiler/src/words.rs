//! The words of the language: what a bare name means when nothing local has it.
//!
//! In: a name. Out: whether it is a word, and how it is written. Never: a meaning (that is `lower`'s), an
//! element-wise row (those are `ops`'). A word is never linked, so a new one is a breaking change.

use crate::ops;

/// A word that is not an element-wise row.
pub struct Word {
    /// What the user writes.
    pub name: &'static str,
    /// How it is called.
    pub signature: &'static str,
    /// One sentence.
    pub doc: &'static str,
}

const fn word(name: &'static str, signature: &'static str, doc: &'static str) -> Word {
    Word { name, signature, doc }
}

/// Every word, in the order of the documentation.
#[rustfmt::skip]
pub const WORDS: &[Word] = &[
    word("sum", "sum(x), sum(x, axis = 1), sum(x, axis = rows)", "The sum over all features, one axis, or the last added row axis."),
    word("mean", "mean(x), mean(x, axis = 1)", "The mean over the same axes as `sum`."),
    word("max", "max(x), max(x, axis = 1), max(a, b)", "The largest element; of two values, element by element."),
    word("min", "min(x), min(x, axis = 1), min(a, b)", "The smallest element; of two values, element by element."),
    word("logsumexp", "logsumexp(x, axis = 1)", "log of the sum of exponentials, without overflow."),
    word("softmax", "softmax(x, axis = 1)", "Exponentials divided by their sum."),
    word("log_softmax", "log_softmax(x, axis = 1)", "The logarithm of `softmax`, without overflow."),
    word("dot", "dot(a, b)", "The sum of products over all features."),
    word("sum_squares", "sum_squares(x)", "The sum of squares over all features."),
    word("einsum", "einsum(\"bk,kd->bd\", z, w)", "Products summed over the labels that the result lacks."),
    word("reshape", "let y: Tensor<B, 4, 16> = reshape(x)", "The same elements in the same order under other feature axes."),
    word("flatten", "flatten(x)", "All feature axes as one."),
    word("squeeze", "squeeze(x)", "Without the feature axes of size 1."),
    word("unsqueeze", "unsqueeze(x, axis = 1)", "A new feature axis of size 1."),
    word("expand_like", "expand_like(bias, h)", "bias repeated to the shape of h, whose last axes it has."),
    word("permute", "permute(x, 2, 1)", "The feature axes in another order."),
    word("transpose", "transpose(w)", "The two feature axes exchanged."),
    word("slice", "slice(x, axis = 1, start = 0, end = 8)", "A range of elements along an axis."),
    word("concat", "concat(a, b), concat(a, b, axis = 1)", "One after the other along an axis."),
    word("pad", "pad(x, axis = 2, before = 1, after = 1)", "Zeros before and after the elements of an axis."),
    word("window", "window(x, axis = 2, kernel = 3, stride = 2, dilation = 1)", "Overlapping pieces of an axis, which becomes two: where they start, and the elements of each."),
    word("fold", "fold(x, axis = 2, stride = 2, dilation = 1, output_padding = 0)", "The transpose of `window`: pieces become one axis, and where they overlap they add up."),
    word("repeat", "repeat(x, 50)", "A further row axis that copies nothing."),
    word("batch", "batch(z)", "The whole batch as the first feature axis, seen by every row."),
    word("batch_mean", "batch_mean(x)", "The mean over the rows of the batch."),
    word("argmin", "argmin(x), argmin(x, axis = 1)", "The position of the smallest element along the last axis, or another; of equals the first, NaN last."),
    word("argmax", "argmax(x), argmax(x, axis = 1)", "The position of the largest element along the last axis, or another; of equals the first, NaN before all."),
    word("sort", "sort(x), sort(x, axis = 1, descending = true)", "The elements in order along the last axis, or another; NaN counts as the largest."),
    word("argsort", "argsort(x), argsort(x, axis = 1, descending = true)", "The positions of the elements in order; equals keep theirs."),
    word("top_k", "top_k(x, 32), top_k(x, 32, axis = 1)", "x with zeros beside its k largest elements along the last axis, or another; of equals the first stay."),
    word("top_k_indices", "top_k_indices(x, 32)", "The positions of the k largest elements, the largest first."),
    word("gather", "gather(table, index)", "The places of a table, along its first feature axis, that an index names; row by row where the table has rows."),
    word("one_hot", "one_hot(index, 10)", "1 at the place that an index names, of so many, else 0."),
    word("number", "number(index)", "Positions as numbers."),
    word("range", "range(10)", "The numbers 0, 1, … in a row of this length."),
    word("param", "param(kaiming())", "A parameter with these first values; its shape comes from its use."),
    word("state", "let mean: Tensor<I> = state(zeros())", "A value without gradient with these first values, which `update` replaces."),
    word("update", "update(usage(), 0.99 * usage() + 0.01 * batch_mean(x))", "Replaces a state after the step of a loss; when a model is run, nothing."),
    word("zeros", "zeros()", "Zeros; the shape comes from the use."),
    word("ones", "ones()", "Ones; the shape comes from the use."),
    word("constant", "constant(0.5)", "One number everywhere; the shape comes from the use."),
    word("identity", "identity()", "The identity matrix; the shape comes from the use."),
    word("normal", "normal()", "Standard normal numbers; the shape comes from the use."),
    word("normal_like", "normal_like(x)", "Standard normal numbers of the shape of x."),
    word("uniform", "uniform()", "Uniform numbers on (0, 1); the shape comes from the use."),
    word("uniform_like", "uniform_like(x)", "Uniform numbers on (0, 1) of the shape of x."),
    word("bernoulli", "bernoulli(p)", "1 with probability p, else 0; no derivative."),
    word("training", "training()", "A compile-time flag: true in a loss that trains, false in `run`."),
    word("grad", "grad(f, x)", "The derivative of a value per row (or of a Scalar) with respect to x."),
    word("jacobian", "jacobian(f, x)", "The derivative of every output feature with respect to every input feature."),
    word("jvp", "jvp(f, x, v)", "The derivative of f at x along v: the Jacobian times v, in the type of f(x)."),
    word("hvp", "hvp(f, x, v)", "The second derivatives of f at x times v, in the type of x; f as for `grad`."),
    word("scan", "scan(|h, x_t| cell(h, x_t), zeros(), x), scan(f, init, (x, y), reverse = true)", "Every state of a recurrence over the first feature axis, stacked."),
    word("last", "last(x)", "The last element along the first feature axis."),
    word("stop_gradient", "stop_gradient(x)", "x, without its derivative."),
    word("straight_through", "straight_through(q, x)", "The value of q with the derivative of x."),
    word("inspect", "inspect(\"h\", x)", "x; prints its name, place, shape, range and non-finite values."),
    word("exact", "exact(x)", "x, computed without rewrites that cancel."),
    word("rows", "axis = rows", "The last added row axis."),
    word("kaiming", "param(kaiming())", "First values after He et al. 2015."),
    word("xavier", "param(xavier())", "First values after Glorot and Bengio 2010."),
    word("orthogonal", "param(orthogonal())", "First values with orthonormal rows or columns."),
    word("uniform_init", "param(uniform_init(0.1))", "First values uniform on (-a, a)."),
    word("normal_init", "param(normal_init(0.02))", "First values normal with this standard deviation."),
    word("fan_in", "param(fan_in(I))", "First values uniform on ±1/√n."),
];

/// Macros of Rust's prelude: an item of that name would call them instead of being linked.
const MACROS: &[&str] = &[
    "vec",
    "print",
    "println",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "panic",
    "todo",
    "unimplemented",
    "unreachable",
    "matches",
    "write",
    "writeln",
    "line",
    "column",
    "file",
    "module_path",
    "dbg",
    "concat",
    "concat_idents",
    "concat_bytes",
    "env",
    "option_env",
    "include",
    "include_str",
    "include_bytes",
    "stringify",
    "cfg",
    "compile_error",
    "thread_local",
    "is_x86_feature_detected",
    "try",
    "addr_of",
    "pin",
    "ready",
    "global_asm",
    "asm",
    "const_format_args",
    "trace_macros",
    "log_syntax",
    "cfg_match",
    "cfg_select",
    "macro_rules",
    "test",
    "bench",
    "derive",
    "global_allocator",
];

/// Whether a bare name is a word or an element-wise row.
pub fn is_word(name: &str) -> bool {
    WORDS.iter().any(|w| w.name == name) || ops::Row::named(name).is_some()
}

/// Whether a word takes functions as arguments.
pub fn takes_function(name: &str) -> bool {
    matches!(name, "grad" | "jacobian" | "jvp" | "hvp" | "scan")
}

/// Why an item may not have this name, if it may not.
pub fn refused(name: &str) -> Option<String> {
    if crate::parse::Attribute::named(name).is_some() {
        return Some(format!(
            "`{name}` is an attribute of Diabolo, which this name would hide; choose another"
        ));
    }
    if is_word(name) {
        return Some(format!("`{name}` is a word of Diabolo; choose another name"));
    }
    let raw = name.starts_with("r#") || name.starts_with("__");
    (raw || MACROS.contains(&name))
        .then(|| format!("`{name}` is already the name of something in Rust; choose another name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_rows_are_words_and_named_once() {
        assert!(is_word("einsum") && is_word("relu") && !is_word("dense"));
        for word in WORDS {
            assert_eq!(
                WORDS.iter().filter(|w| w.name == word.name).count(),
                1,
                "{} is named twice",
                word.name
            );
            assert!(word.doc.ends_with('.') && word.signature.contains(word.name), "{}", word.name);
        }
    }

    #[test]
    fn macros_of_std_and_words_cannot_be_defined() {
        assert!(refused("vec").is_some() && refused("relu").is_some() && refused("sum").is_some());
        assert!(refused("loss").is_some() && refused("state").is_some());
        assert!(refused("dense").is_none());
    }
}
