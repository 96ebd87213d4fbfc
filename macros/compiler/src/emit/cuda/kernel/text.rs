//! Small pieces of CUDA C.
//!
//! In: numbers, expressions, blocks of lines. Out: text. Never: what a kernel means.

/// Threads of a block whose lanes walk down columns, and of all others: those of `kernels::cuda::grids`. Written as numbers, so that
/// steps are known where the text is compiled.
pub(super) const LANES: usize = 512;
pub(super) const THREADS: usize = 256;

/// The part of what is summed that a block takes.
pub(super) const PART: &str = "const long long part = (count + gridDim.y - 1) / gridDim.y, from = blockIdx.y * part;\n\
                    const long long to = from + part < count ? from + part : count;";

/// -∞.
pub(super) const LEAST: &str = "__uint_as_float(0xff800000u)";

pub(super) fn sum(largest: bool) -> &'static str {
    if largest { "most" } else { "sum" }
}

/// `held` joined by another value.
pub(super) fn join(largest: bool, held: &str, other: &str) -> String {
    match largest {
        true => format!("{held} = math_max({held}, {other});"),
        false => format!("{held} += {other};"),
    }
}

/// A number.
pub(in super::super) fn float(value: f64) -> String {
    let single = value as f32;
    match single {
        _ if single.is_nan() => "__uint_as_float(0x7fc00000u)".to_owned(),
        f32::INFINITY => "__uint_as_float(0x7f800000u)".to_owned(),
        f32::NEG_INFINITY => LEAST.to_owned(),
        _ => format!("T({value:?})"),
    }
}

/// An expression without the parentheses around all of it.
pub(in super::super) fn bare(code: &str) -> &str {
    let Some(inside) = code.strip_prefix('(').and_then(|code| code.strip_suffix(')')) else { return code };
    let mut depth = 0;
    let closes = inside.chars().any(|c| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        depth < 0
    });
    if closes { code } else { inside }
}

/// Blocks of lines, each so many levels deep.
pub(super) fn lines(blocks: &[(usize, &str)]) -> String {
    blocks.iter().map(|(depth, text)| indented(text, *depth)).collect()
}

pub(super) fn indented(text: &str, depth: usize) -> String {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| format!("{}{line}\n", "    ".repeat(depth))).collect()
}
