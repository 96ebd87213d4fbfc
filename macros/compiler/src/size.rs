//! Sizes of axes: integer polynomials over symbols.
//!
//! In: literals and symbols (`B`, `T`, a const generic). Out: a canonical form in which equal sizes
//! compare equal. Never: a guess; a symbol stays a symbol until something fixes it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Add, Mul, Sub};

/// The symbol that stands for the rows of a batch.
pub const BATCH: &str = "B";

/// A size: a sum of integer multiples of products of symbols, e.g. `2*K + 1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Size(BTreeMap<Vec<String>, i64>);

impl Size {
    /// A known size.
    pub fn known(n: usize) -> Self {
        Self::integer(i64::try_from(n).unwrap_or(i64::MAX))
    }

    /// A known integer, negative ones included: an intermediate result.
    pub fn integer(n: i64) -> Self {
        Size(if n == 0 { BTreeMap::new() } else { BTreeMap::from([(Vec::new(), n)]) })
    }

    /// The exact quotient, where every factor is divisible.
    pub fn divided(&self, by: i64) -> Option<Size> {
        let exact = |factor: i64| (factor.checked_rem(by)? == 0).then(|| factor / by);
        self.0
            .iter()
            .map(|(symbols, &factor)| Some((symbols.clone(), exact(factor)?)))
            .collect::<Option<_>>()
            .map(Size)
    }

    /// The quotient rounded down, where that is the same polynomial for every value of the symbols: `by`, above 0,
    /// divides all factors of symbols.
    pub fn floor_divided(&self, by: i64) -> Option<Size> {
        let constant = self.0.get(&Vec::new()).copied().unwrap_or(0);
        let floor = Size::integer(constant.checked_div_euclid(by)?);
        Some(&(self - &Size::integer(constant)).divided(by)? + &floor)
    }

    /// A symbol.
    pub fn symbol(name: &str) -> Self {
        Size(BTreeMap::from([(vec![name.to_owned()], 1)]))
    }

    /// The rows of the batch.
    pub fn batch() -> Self {
        Self::symbol(BATCH)
    }

    /// The value, where no symbol is left and it is not negative.
    pub fn value(&self) -> Option<usize> {
        match self.0.len() {
            0 => Some(0),
            1 => self.0.get(&Vec::new()).and_then(|&n| usize::try_from(n).ok()),
            _ => None,
        }
    }

    /// Whether every value of the symbols makes it negative.
    pub fn is_negative(&self) -> bool {
        !self.0.is_empty() && self.0.values().all(|factor| *factor < 0)
    }

    /// Whether this is exactly 0.
    pub fn is_zero(&self) -> bool {
        *self == Size::default()
    }

    /// Whether this is exactly 1.
    pub fn is_one(&self) -> bool {
        self.value() == Some(1)
    }

    /// The terms: symbols and their integer factor.
    pub fn terms(&self) -> impl Iterator<Item = (&[String], i64)> {
        self.0.iter().map(|(symbols, factor)| (symbols.as_slice(), *factor))
    }

    /// The symbols that occur.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        self.0.keys().flatten().map(String::as_str)
    }

    /// Whether the symbol occurs.
    pub fn mentions(&self, symbol: &str) -> bool {
        self.symbols().any(|s| s == symbol)
    }

    /// Replaces symbols by sizes; a symbol that `of` does not know stays.
    pub fn substitute(&self, of: &dyn Fn(&str) -> Option<Size>) -> Size {
        self.0.iter().fold(Size::default(), |sum, (symbols, factor)| {
            let term = symbols.iter().fold(Size::integer(*factor), |product, symbol| {
                &product * &of(symbol).unwrap_or_else(|| Size::symbol(symbol))
            });
            &sum + &term
        })
    }

    /// The number that cost decisions use: 128 for `B`, 32 for every other symbol.
    pub fn nominal(&self) -> f64 {
        self.evaluate(&|symbol| if symbol == BATCH { 128 } else { 32 }) as f64
    }

    /// The value under an assignment of the symbols (negative results become 0).
    pub fn evaluate(&self, of: &dyn Fn(&str) -> usize) -> usize {
        let value = |symbol: &str| i64::try_from(of(symbol)).unwrap_or(i64::MAX);
        let term = |(symbols, factor): (&Vec<String>, &i64)| {
            symbols.iter().fold(*factor, |p, s| p.saturating_mul(value(s)))
        };
        usize::try_from(self.0.iter().map(term).fold(0, i64::saturating_add)).unwrap_or(0)
    }

    /// What suffices for every value of the symbols, and adds up: a size without its negative terms.
    ///
    /// A size below 0 is 0, but a sum that it is a part of counts it as it is: places in memory have this size instead.
    pub fn room(&self) -> Size {
        Size(
            self.0
                .iter()
                .filter(|(_, factor)| **factor > 0)
                .map(|(s, factor)| (s.clone(), *factor))
                .collect(),
        )
    }

    /// The product of sizes (1 for none).
    pub fn product<'a>(sizes: impl IntoIterator<Item = &'a Size>) -> Size {
        sizes.into_iter().fold(Size::known(1), |product, size| &product * size)
    }

    fn insert(&mut self, symbols: Vec<String>, factor: i64) {
        let entry = self.0.entry(symbols).or_insert(0);
        *entry = entry.saturating_add(factor);
        self.0.retain(|_, factor| *factor != 0);
    }
}

impl From<usize> for Size {
    fn from(n: usize) -> Size {
        Size::known(n)
    }
}

impl From<&Size> for Size {
    fn from(size: &Size) -> Size {
        size.clone()
    }
}

impl Add for &Size {
    type Output = Size;
    fn add(self, other: &Size) -> Size {
        let mut sum = self.clone();
        for (symbols, factor) in &other.0 {
            sum.insert(symbols.clone(), *factor);
        }
        sum
    }
}

impl Sub for &Size {
    type Output = Size;
    fn sub(self, other: &Size) -> Size {
        self + &(&Size::integer(-1) * other)
    }
}

impl Mul for &Size {
    type Output = Size;
    fn mul(self, other: &Size) -> Size {
        let mut product = Size::default();
        for (left, a) in &self.0 {
            for (right, b) in &other.0 {
                let mut symbols = [left.as_slice(), right.as_slice()].concat();
                symbols.sort();
                product.insert(symbols, a.saturating_mul(*b));
            }
        }
        product
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("0");
        }
        // Symbols first, the constant last: `2 * K + 1`.
        for (i, (symbols, factor)) in self.0.iter().rev().enumerate() {
            let sign = match (i, *factor < 0) {
                (0, true) => "-",
                (0, false) => "",
                (_, true) => " - ",
                (_, false) => " + ",
            };
            let factor = factor.unsigned_abs();
            match (symbols.is_empty(), factor) {
                (true, _) => write!(f, "{sign}{factor}")?,
                (false, 1) => write!(f, "{sign}{}", symbols.join(" * "))?,
                (false, _) => write!(f, "{sign}{factor} * {}", symbols.join(" * "))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_polynomials_compare_equal() {
        let k = Size::symbol("K");
        let two = Size::known(2);
        assert_eq!(&(&two * &k) - &k, k);
        assert_eq!((&(&two * &k) + &Size::known(1)).to_string(), "2 * K + 1");
        assert_eq!((&k - &k).value(), Some(0));
        assert_eq!((&two * &Size::batch()).nominal(), 256.0);
        assert_eq!(k.substitute(&|_| Some(Size::known(7))).value(), Some(7));
        let odd = &(&two * &k) - &Size::known(3);
        assert_eq!(odd.floor_divided(2), Some(&k - &two));
        assert_eq!(odd.floor_divided(4), None);
    }
}
