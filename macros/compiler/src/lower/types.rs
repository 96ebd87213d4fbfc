//! Declared types against real ones.
//!
//! In: a type as written, the letters of its function, the type of a value. Out: letters bound, unknown sizes
//! fixed, and the type that the value takes. Never: a message of its own place; callers say whose type it is.

use super::Lowerer;
use super::scope::Frame;
use super::written::{be, counted, written_type};
use crate::ast::{FeatureExpr, SizeExpr, TypeExpr};
use crate::graph::Type;
use crate::size::{BATCH, Size};

/// How a declared type treats `_`.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Any {
    /// In a signature: the same axes everywhere.
    Shared,
    /// In a `let`: whatever is there.
    Free,
}

impl<'a> Lowerer<'a> {
    /// Makes two sizes one, everywhere in the graph; false where they differ.
    pub(super) fn same(&mut self, left: &Size, right: &Size) -> bool {
        match self.sizes.unify(left, right) {
            Ok(fixed) => {
                if fixed {
                    self.patch();
                }
                true
            }
            Err(_) => false,
        }
    }

    /// The same for lists; the first position that differs.
    pub(super) fn same_list(&mut self, left: &[Size], right: &[Size]) -> Result<(), usize> {
        let common = left.len().min(right.len());
        match left.iter().zip(right).position(|(l, r)| !self.same(l, r)) {
            Some(position) => Err(position),
            None if left.len() != right.len() => Err(common),
            None => Ok(()),
        }
    }

    /// A type with every known size put in.
    pub(super) fn resolved(&self, ty: &Type) -> Type {
        let known = |sizes: &[Size]| sizes.iter().map(|size| self.sizes.resolve(size)).collect();
        Type { rows: known(&ty.rows), features: known(&ty.features) }
    }

    /// A type in the user's words.
    pub(super) fn show(&self, ty: &Type) -> String {
        let show = |sizes: &[Size]| sizes.iter().map(|size| self.sizes.show(size)).collect::<Vec<_>>();
        // The whole batch as an ordinary axis has another letter than the rows.
        let ordinary = |symbol: &str| (symbol == BATCH).then(|| Size::symbol("N"));
        let features = show(&ty.features).iter().map(|size| size.substitute(&ordinary)).collect();
        Type { rows: show(&ty.rows), features }.to_string()
    }

    /// Binds the letters of a declared tensor to the type of a value. Returns the type that the value takes:
    /// its own, or, for a scalar or a value without rows, what it is repeated to.
    pub(super) fn match_type(
        &mut self,
        frame: &mut Frame<'a>,
        declared: &'a TypeExpr,
        actual: &Type,
        any: Any,
    ) -> Result<Type, String> {
        let (rows, features): (_, &[FeatureExpr]) = match declared {
            TypeExpr::Tensor { rows, features, .. } => (rows.as_deref(), features),
            _ => (None, &[]),
        };
        let rows = self.match_rows(frame, declared, rows, &actual.rows)?;
        if actual.rank() == 0 && !features.is_empty() {
            return self.spread_scalar(frame, declared, features, rows, any);
        }
        let features = self.match_features(frame, features, &actual.features, any)?;
        Ok(self.resolved(&Type { rows, features }))
    }

    fn match_rows(
        &mut self,
        frame: &mut Frame<'a>,
        declared: &TypeExpr,
        rows: Option<&'a [SizeExpr]>,
        actual: &[Size],
    ) -> Result<Vec<Size>, String> {
        let Some(extra) = rows else {
            let message = || format!("it has rows, and `{}` has none", written_type(declared));
            return if actual.is_empty() { Ok(vec![]) } else { Err(message()) };
        };
        let extra = extra.iter().map(|size| self.size_of(frame, size)).collect::<Result<Vec<_>, _>>()?;
        if actual.is_empty() {
            let bound = frame.letters.rows.get_or_insert_with(|| self.rows_around()).clone();
            if bound.is_empty() && !extra.is_empty() {
                return Err("it has no rows".into());
            }
            return Ok([bound, extra].concat());
        }
        let lead = actual.len().checked_sub(extra.len()).filter(|lead| *lead > 0);
        let Some((lead, last)) = lead.and_then(|lead| actual.split_at_checked(lead)) else {
            return Err(format!(
                "it has {} where {} are expected; `repeat(x, n)` adds one",
                counted(actual.len(), "row axis", "row axes"),
                extra.len() + 1
            ));
        };
        if let Err(at) = self.same_list(&extra, last) {
            return Err(self.differ(&last[at], &extra[at], format!("row axis {}", lead.len() + at + 1)));
        }
        match frame.letters.rows.clone() {
            None => frame.letters.rows = Some(lead.to_vec()),
            Some(bound) => {
                if self.same_list(&bound, lead).is_err() {
                    let show = |rows: Vec<Size>| self.show(&Type { rows, features: vec![] });
                    return Err(format!(
                        "its rows are those of `{}`, and `B` is here those of `{}`; `repeat(x, n)` adds a row axis",
                        show(lead.to_vec()),
                        show(bound)
                    ));
                }
            }
        }
        Ok(actual.to_vec())
    }

    fn match_features(
        &mut self,
        frame: &mut Frame<'a>,
        declared: &'a [FeatureExpr],
        actual: &[Size],
        any: Any,
    ) -> Result<Vec<Size>, String> {
        let hole = declared.iter().position(|f| matches!(f, FeatureExpr::Any(_)));
        let fixed = declared.len() - usize::from(hole.is_some());
        if actual.len() < fixed || (hole.is_none() && actual.len() > fixed) {
            let least = if hole.is_some() { "at least " } else { "" };
            let found = counted(actual.len(), "feature axis", "feature axes");
            return Err(format!("{found} where {least}{fixed} {} expected", be(fixed)));
        }
        let hole_len = actual.len() - fixed;
        let mut axis = 0;
        for feature in declared {
            match feature {
                FeatureExpr::Any(_) => {
                    let inside = actual.get(axis..axis + hole_len).unwrap_or_default();
                    if any == Any::Shared {
                        self.match_any(frame, inside, axis)?;
                    }
                    axis += hole_len;
                }
                FeatureExpr::Size(size) => {
                    let Some(found) = actual.get(axis) else { break };
                    axis += 1;
                    self.match_size(frame, size, found, axis)?;
                }
            }
        }
        Ok(actual.to_vec())
    }

    fn match_any(&mut self, frame: &mut Frame<'a>, inside: &[Size], before: usize) -> Result<(), String> {
        let Some(bound) = frame.letters.any.clone() else {
            frame.letters.any = Some(inside.to_vec());
            return Ok(());
        };
        let Err(at) = self.same_list(&bound, inside) else { return Ok(()) };
        match (inside.get(at), bound.get(at)) {
            (Some(found), Some(expected)) => {
                Err(self.differ(found, expected, format!("axis {}", before + at + 1)))
            }
            _ => Err(format!("`_` is {} axes here and {} elsewhere in the call", inside.len(), bound.len())),
        }
    }

    fn match_size(
        &mut self,
        frame: &mut Frame<'a>,
        size: &'a SizeExpr,
        found: &Size,
        axis: usize,
    ) -> Result<(), String> {
        // A letter's first use takes the size as it is, without an unknown in between.
        if let SizeExpr::Name(path) = size
            && frame.is_letter(&path.text)
            && !frame.letters.sizes.contains_key(&path.text)
        {
            frame
                .letters
                .sizes
                .insert(path.text.clone(), (found.clone(), format!("axis {axis} of another argument")));
            return Ok(());
        }
        let expected = self.size_of(frame, size)?;
        if self.same(&expected, found) {
            return Ok(());
        }
        let mut text = self.differ(found, &expected, format!("axis {axis}"));
        if let SizeExpr::Name(path) = size
            && let Some((_, from)) = frame.letters.sizes.get(&path.text)
            && !from.is_empty()
        {
            text.push_str(&format!("; `{}` comes from {from}", path.text));
        }
        Err(text)
    }

    /// `20 where 32 is expected (axis 1)`.
    fn differ(&self, found: &Size, expected: &Size, place: String) -> String {
        format!("{} where {} is expected ({place})", self.sizes.show(found), self.sizes.show(expected))
    }

    fn spread_scalar(
        &mut self,
        frame: &mut Frame<'a>,
        declared: &'a TypeExpr,
        features: &'a [FeatureExpr],
        rows: Vec<Size>,
        any: Any,
    ) -> Result<Type, String> {
        if let [FeatureExpr::Any(_)] = features
            && (any == Any::Free || frame.letters.any.is_none())
        {
            frame.letters.any.get_or_insert_default();
            return Ok(Type { rows, features: vec![] });
        }
        match self.declared_type(frame, declared)? {
            Some(ty) => Ok(self.resolved(&Type { rows, ..ty })),
            None => Err("nothing says how many axes a single number is repeated to".into()),
        }
    }

    /// A declared tensor as a type of its own, where its letters say enough: letters that nothing has fixed
    /// become unknowns, `B` that nothing has bound takes the rows around the call. None where `_` is open.
    pub(super) fn declared_type(
        &mut self,
        frame: &mut Frame<'a>,
        declared: &'a TypeExpr,
    ) -> Result<Option<Type>, String> {
        let TypeExpr::Tensor { rows, features, .. } = declared else {
            return Ok(Some(Type::scalar()));
        };
        let mut ty = Type::default();
        if let Some(extra) = rows {
            ty.rows = frame.letters.rows.get_or_insert_with(|| self.rows_around()).clone();
            for size in extra {
                ty.rows.push(self.size_of(frame, size)?);
            }
        }
        for feature in features {
            match feature {
                FeatureExpr::Size(size) => ty.features.push(self.size_of(frame, size)?),
                FeatureExpr::Any(_) => match &frame.letters.any {
                    Some(sizes) => ty.features.extend(sizes.iter().map(|size| self.sizes.resolve(size))),
                    None => return Ok(None),
                },
            }
        }
        Ok(Some(self.resolved(&ty)))
    }

    /// The rows that `B` has around here.
    fn rows_around(&self) -> Vec<Size> {
        let bound = self.frames.iter().rev().find_map(|frame| frame.letters.rows.clone());
        bound.unwrap_or_else(|| vec![Size::batch()])
    }
}
