//! Sizes as written: literals, letters, constants, arithmetic.
//!
//! In: a size of a declared type, and the letters of its function. Out: a size, unknown where nothing has
//! fixed a letter yet. Never: a symbol for a name that is not declared.

use super::Lowerer;
use super::scope::Frame;
use super::written::written_size;
use crate::ast::{Item, SizeExpr};
use crate::size::{BATCH, Size};

/// No axis is longer: far beyond any memory, and safe to multiply.
const LONGEST: i64 = 1 << 40;

impl<'a> Lowerer<'a> {
    /// The value of a size as written.
    pub(super) fn size_of(&mut self, frame: &mut Frame<'a>, expr: &'a SizeExpr) -> Result<Size, String> {
        let size = self.size_inside(frame, expr)?;
        let resolved = self.sizes.resolve(&size);
        let negative =
            resolved.terms().all(|(s, n)| s.is_empty() && n < 0) && resolved.terms().next().is_some();
        if negative || resolved.terms().any(|(_, n)| n.saturating_abs() > LONGEST) {
            return Err(format!("`{}` is {resolved}, which is no size", written_size(expr)));
        }
        Ok(resolved)
    }

    fn size_inside(&mut self, frame: &mut Frame<'a>, expr: &'a SizeExpr) -> Result<Size, String> {
        match expr {
            SizeExpr::Literal(n, _) => Ok(Size::known(*n)),
            SizeExpr::Name(path) => self.named_size(frame, &path.text),
            SizeExpr::Binary(operator, left, right, _) => {
                let (l, r) = (self.size_inside(frame, left)?, self.size_inside(frame, right)?);
                match operator {
                    '+' => Ok(&l + &r),
                    '-' => Ok(&l - &r),
                    '*' => Ok(&l * &r),
                    _ => self.quotient(&l, &r).ok_or_else(|| {
                        let (l, r) = (self.sizes.show(&l), self.sizes.show(&r));
                        format!("`{}` is not whole: {l} / {r}", written_size(expr))
                    }),
                }
            }
        }
    }

    /// The exact quotient of sizes.
    pub(super) fn quotient(&mut self, left: &Size, right: &Size) -> Option<Size> {
        let (left, right) = (self.sizes.resolve(left), self.sizes.resolve(right));
        if let Some(by) = right.value() {
            if by == 0 {
                return None;
            }
            if !self.sizes.is_open(&left) {
                return left.divided(i64::try_from(by).ok()?);
            }
        }
        let quotient = self.sizes.unknown("?");
        self.same(&(&quotient * &right), &left).then(|| self.sizes.resolve(&quotient))
    }

    /// What a name in a size stands for. A letter that nothing has fixed becomes an unknown.
    fn named_size(&mut self, frame: &mut Frame<'a>, name: &str) -> Result<Size, String> {
        if let Some((size, _)) = frame.letters.sizes.get(name) {
            return Ok(self.sizes.resolve(size));
        }
        if name == BATCH {
            return match frame.letters.rows.as_deref() {
                Some([one]) => Ok(one.clone()),
                _ => {
                    Err("`B` as an ordinary axis needs an argument with rows; another letter is any size"
                        .into())
                }
            };
        }
        if let Some(value) = frame.local(name) {
            let message =
                || format!("`{name}` is {}; a size is an integer known at compile time", value.kind());
            return value.size().ok_or_else(message);
        }
        if frame.is_letter(name) {
            let unknown = self.sizes.unknown(name);
            frame.letters.sizes.insert(name.to_owned(), (unknown.clone(), String::new()));
            return Ok(unknown);
        }
        match self.linked.resolve(&frame.item.id, name) {
            Some(constant) if matches!(constant.item, Item::Constant { .. }) => match self.constant(constant)
            {
                Some(value) => {
                    value.size().ok_or_else(|| format!("`{name}` is {}; a size is an integer", value.kind()))
                }
                None => Err(String::new()),
            },
            _ => Err(crate::link::unknown_size(name)),
        }
    }
}
