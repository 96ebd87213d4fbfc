//! The user's words: types, sizes and expressions as they were written.
//!
//! In: syntax. Out: text for messages. Never: anything resolved.

use crate::ast::{Expr, ExprKind, FeatureExpr, Function, SizeExpr, TypeExpr};

/// `Tensor<Rows<B, 50>, {2 * K}>`.
pub(super) fn written_type(ty: &TypeExpr) -> String {
    match ty {
        TypeExpr::Tensor { index: true, rows: None, features, .. } if features.is_empty() => {
            "Index".to_owned()
        }
        TypeExpr::Tensor { index, rows, features, .. } => {
            let rows = rows.as_ref().map(|extra| match extra.as_slice() {
                [] => "B".to_owned(),
                extra => format!("Rows<B, {}>", joined(extra.iter().map(written_feature))),
            });
            let features = features.iter().map(|feature| match feature {
                FeatureExpr::Any(_) => "_".to_owned(),
                FeatureExpr::Size(size) => written_feature(size),
            });
            let name = if *index { "Index" } else { "Tensor" };
            format!("{name}<{}>", joined(rows.into_iter().chain(features)))
        }
        TypeExpr::Scalar(_) => "Scalar".to_owned(),
        TypeExpr::Tuple(types, _) => format!("({})", joined(types.iter().map(written_type))),
        TypeExpr::Number(_) => "f32".to_owned(),
        TypeExpr::Size(_) => "usize".to_owned(),
        TypeExpr::Flag(_) => "bool".to_owned(),
        TypeExpr::Initial(_) => "Initial".to_owned(),
        TypeExpr::Function(_) => "impl Fn(…)".to_owned(),
        TypeExpr::Slot(name) => name.text.clone(),
    }
}

/// `1 axis`, `2 axes`.
pub(super) fn counted(n: usize, one: &str, several: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { several })
}

/// `is` or `are`.
pub(super) fn be(n: usize) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

/// `dense(x: Tensor<B, _, I>, out: usize) -> Tensor<B, _, out>`.
pub(crate) fn signature(function: &Function) -> String {
    let params = function.params.iter().map(|p| {
        let default = p.default.as_ref().map(|value| format!(" = {}", written(value))).unwrap_or_default();
        format!("{}: {}{default}", p.name.text, written_type(&p.ty))
    });
    format!("{}({}) -> {}", function.name.text, joined(params), written_type(&function.output))
}

/// Short expressions as they stand, longer ones by what they are.
pub(super) fn written(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Number(n, _) => n.to_string(),
        ExprKind::Flag(flag) => flag.to_string(),
        ExprKind::Path(path) => path.text.clone(),
        ExprKind::Sized(path, sizes) => {
            format!("{}::<{}>", path.text, joined(sizes.iter().map(written_feature)))
        }
        ExprKind::Call { callee, .. } => format!("{}(…)", callee.text),
        ExprKind::Unary(operator, value) => format!("{operator}{}", written(value)),
        ExprKind::Text(text) => format!("{text:?}"),
        _ => "…".to_owned(),
    }
}

fn written_feature(size: &SizeExpr) -> String {
    match size {
        SizeExpr::Literal(..) | SizeExpr::Name(_) => written_size(size),
        SizeExpr::Binary(..) => format!("{{{}}}", written_size(size)),
    }
}

/// A size without the braces.
pub(super) fn written_size(size: &SizeExpr) -> String {
    match size {
        SizeExpr::Literal(n, _) => n.to_string(),
        SizeExpr::Name(path) => path.text.clone(),
        SizeExpr::Binary(operator, left, right, _) => {
            let side = |side: &SizeExpr| match side {
                SizeExpr::Binary('+' | '-', ..) => format!("({})", written_size(side)),
                side => written_size(side),
            };
            format!("{} {operator} {}", side(left), side(right))
        }
    }
}

/// With commas.
pub(super) fn joined(parts: impl IntoIterator<Item = String>) -> String {
    parts.into_iter().collect::<Vec<_>>().join(", ")
}
