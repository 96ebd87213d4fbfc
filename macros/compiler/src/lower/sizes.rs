//! Unification of sizes.
//!
//! In: equations between sizes, some of whose symbols are unknowns. Out: the unknowns' values, as soon as an
//! equation fixes one. Never: a guess; an equation that fixes nothing yet is kept and looked at again.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::graph::{Constant, Kind, Scan, Type, View};
use crate::size::Size;

/// What unknowns start with; no letter of the language does.
const MARK: char = '?';

/// The unknown sizes of a program and what is known of them.
#[derive(Clone, Default)]
pub(super) struct Sizes {
    /// Fully resolved values.
    bound: BTreeMap<String, Size>,
    /// What the user calls each unknown: its letter, or `?`.
    labels: Vec<String>,
    /// Equations that fix nothing yet.
    open: Vec<(Size, Size)>,
}

/// Two sizes that cannot be the same.
#[derive(Debug, PartialEq)]
pub(super) struct Unequal;

impl Sizes {
    /// A new unknown.
    pub(super) fn unknown(&mut self, label: &str) -> Size {
        self.labels.push(label.to_owned());
        Size::symbol(&format!("{MARK}{}", self.labels.len() - 1))
    }

    /// The size with everything known put in.
    pub(super) fn resolve(&self, size: &Size) -> Size {
        if size.symbols().any(|s| self.bound.contains_key(s)) {
            size.substitute(&|symbol| self.bound.get(symbol).cloned())
        } else {
            size.clone()
        }
    }

    /// Puts what is known into the sizes that a kind carries; whether an unknown is left there.
    pub(super) fn patch(&self, kind: &mut Kind) -> bool {
        match kind {
            Kind::Const(Constant::Size(size)) => {
                *size = self.resolve(size);
                if let Some(n) = size.value() {
                    *kind = Kind::Const(Constant::Number(n as f64));
                    return false;
                }
                self.is_open(size)
            }
            Kind::View(View::Slice { start: size, .. } | View::Pad { before: size, .. }) => {
                *size = self.resolve(size);
                self.is_open(size)
            }
            Kind::Scan { scan, .. } => {
                let lengths = |ty: &Type| ty.shape().iter().any(|size| self.is_known_now(size));
                let stale = self.is_known_now(&scan.length)
                    || scan.body.nodes.iter().any(|node| lengths(&node.ty))
                    || self.is_open(&scan.length);
                if !stale {
                    return scan.body.nodes.iter().any(|n| n.ty.shape().iter().any(|s| self.is_open(s)));
                }
                let mut new = Scan::clone(scan);
                new.length = self.resolve(&new.length);
                let mut open = self.is_open(&new.length);
                let types = new.body.inputs.iter_mut().map(|input| &mut input.ty);
                types.for_each(|ty| self.patch_type(ty));
                for node in &mut new.body.nodes {
                    self.patch_type(&mut node.ty);
                    open |= self.patch(&mut node.kind);
                    open |= node.ty.shape().iter().any(|size| self.is_open(size));
                }
                *scan = Rc::new(new);
                open
            }
            _ => false,
        }
    }

    fn patch_type(&self, ty: &mut Type) {
        ty.rows.iter_mut().chain(&mut ty.features).for_each(|size| *size = self.resolve(size));
    }

    fn is_known_now(&self, size: &Size) -> bool {
        self.resolve(size) != *size
    }

    /// Whether an unknown is left.
    pub(super) fn is_open(&self, size: &Size) -> bool {
        self.resolve(size).symbols().any(is_unknown)
    }

    /// In the user's words.
    pub(super) fn show(&self, size: &Size) -> Size {
        self.resolve(size).substitute(&|symbol| {
            let index: usize = symbol.strip_prefix(MARK)?.parse().ok()?;
            Some(Size::symbol(self.labels.get(index)?))
        })
    }

    /// Makes two sizes one. `Ok(true)` where that fixed an unknown.
    pub(super) fn unify(&mut self, left: &Size, right: &Size) -> Result<bool, Unequal> {
        match self.solve(left, right)? {
            Some((symbol, value)) => {
                self.bind(symbol, value);
                let open = std::mem::take(&mut self.open);
                open.iter().try_for_each(|(left, right)| self.unify(left, right).map(drop))?;
                Ok(true)
            }
            None => {
                if self.resolve(left) != self.resolve(right) {
                    self.open.push((left.clone(), right.clone()));
                }
                Ok(false)
            }
        }
    }

    /// Equations that nothing decided, in the user's words.
    pub(super) fn undecided(&self) -> impl Iterator<Item = (Size, Size)> {
        self.open.iter().map(|(left, right)| (self.show(left), self.show(right)))
    }

    fn bind(&mut self, symbol: String, value: Size) {
        for bound in self.bound.values_mut() {
            *bound = bound.substitute(&|s| (s == symbol).then(|| value.clone()));
        }
        self.bound.insert(symbol, value);
    }

    /// The unknown that `left = right` fixes, and its value; none where the equation holds or is undecided.
    fn solve(&self, left: &Size, right: &Size) -> Result<Option<(String, Size)>, Unequal> {
        let difference = &self.resolve(left) - &self.resolve(right);
        if difference.terms().next().is_none() {
            return Ok(None);
        }
        for (symbols, factor) in difference.terms() {
            let [symbol] = symbols else { continue };
            let alone = difference.terms().filter(|(s, _)| s.contains(symbol)).count() == 1;
            if !is_unknown(symbol) || !alone {
                continue;
            }
            // factor * symbol + rest = 0.
            let rest = &difference - &(&Size::integer(factor) * &Size::symbol(symbol));
            let Some(value) = rest.divided(factor.saturating_neg()) else { continue };
            if value.terms().all(|(s, f)| s.is_empty() && f < 0) && value.terms().next().is_some() {
                return Err(Unequal);
            }
            return Ok(Some((symbol.clone(), value)));
        }
        if !difference.symbols().any(is_unknown) || never_zero(&difference) {
            return Err(Unequal);
        }
        Ok(None)
    }
}

fn is_unknown(symbol: &str) -> bool {
    symbol.starts_with(MARK)
}

/// Integer factors with a common divisor that does not divide the constant: `2 * K + 1` is never 0.
fn never_zero(size: &Size) -> bool {
    let constant: i64 = size.terms().filter(|(s, _)| s.is_empty()).map(|(_, f)| f).sum();
    let common = size.terms().filter(|(s, _)| !s.is_empty()).fold(0, |g, (_, f)| gcd(g, f.unsigned_abs()));
    common != 0 && !constant.unsigned_abs().is_multiple_of(common)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_equations_fix_their_unknown() {
        let mut sizes = Sizes::default();
        let k = sizes.unknown("K");
        assert_eq!(sizes.unify(&(&Size::known(2) * &k), &Size::known(64)), Ok(true));
        assert_eq!(sizes.resolve(&k).value(), Some(32));
        assert_eq!(sizes.unify(&k, &Size::known(31)), Err(Unequal));
    }

    #[test]
    fn products_wait_until_one_factor_is_known() {
        let mut sizes = Sizes::default();
        let (k, l) = (sizes.unknown("K"), sizes.unknown("L"));
        assert_eq!(sizes.unify(&(&k * &l), &Size::known(64)), Ok(false));
        assert_eq!(sizes.undecided().count(), 1);
        assert_eq!(sizes.unify(&k, &Size::known(16)), Ok(true));
        assert_eq!(sizes.resolve(&l).value(), Some(4));
        assert_eq!(sizes.undecided().count(), 0);
    }

    #[test]
    fn unknowns_become_one_and_symbols_stay_rigid() {
        let mut sizes = Sizes::default();
        let (k, l, t) = (sizes.unknown("K"), sizes.unknown("L"), Size::symbol("T"));
        assert_eq!(sizes.unify(&k, &l), Ok(true));
        assert_eq!(sizes.unify(&l, &t), Ok(true));
        assert_eq!(sizes.resolve(&k), t);
        assert_eq!(sizes.unify(&t, &Size::known(3)), Err(Unequal));
        let odd = &Size::known(2) * &sizes.unknown("M");
        assert_eq!(sizes.unify(&odd, &Size::known(7)), Err(Unequal));
    }
}
