//! Constructors of element-wise nodes.
//!
//! In: nodes of one type. Out: a row of the table over them, or what it is without neutral elements. Never:
//! a broadcast; the caller has made the types equal.

use crate::graph::*;
use crate::ops::Row;

impl Graph {
    /// A row of the table; all arguments have one type.
    pub fn map(&mut self, row: Row, args: &[NodeId]) -> NodeId {
        debug_assert_eq!(args.len(), row.arity, "{row:?}");
        debug_assert!(args.iter().all(|a| self.ty(*a) == self.ty(args[0])), "{row:?}: types differ");
        let ty = self.ty(args[0]).clone();
        self.push(Kind::Map(row), args.to_vec(), ty)
    }

    /// A row by its name, which must be in the table.
    pub fn row(&mut self, name: &str, args: &[NodeId]) -> NodeId {
        match Row::named(name) {
            Some(row) => self.map(row, args),
            None => unreachable!("`{name}` is not in the table"),
        }
    }

    /// `a + b`; without the 0.
    pub fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.as_number(a), self.as_number(b)) {
            (Some(x), Some(y)) => self.full_like(x + y, a),
            (Some(0.0), _) => b,
            (_, Some(0.0)) => a,
            _ => self.row("add", &[a, b]),
        }
    }

    /// `a - b`; without the 0.
    pub fn sub(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.as_number(a), self.as_number(b)) {
            (Some(x), Some(y)) => self.full_like(x - y, a),
            (Some(0.0), _) => self.neg(b),
            (_, Some(0.0)) => a,
            _ => self.row("sub", &[a, b]),
        }
    }

    /// `a * b`; without 1 and -1.
    pub fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.as_number(a), self.as_number(b)) {
            (Some(x), Some(y)) => self.full_like(x * y, a),
            (Some(1.0), _) => b,
            (_, Some(1.0)) => a,
            (Some(-1.0), _) => self.neg(b),
            (_, Some(-1.0)) => self.neg(a),
            _ => self.row("mul", &[a, b]),
        }
    }

    /// `a / b`; without 1.
    pub fn div(&mut self, a: NodeId, b: NodeId) -> NodeId {
        match (self.as_number(a), self.as_number(b)) {
            (Some(x), Some(y)) if y != 0.0 => self.full_like(x / y, a),
            (_, Some(1.0)) => a,
            _ => self.row("div", &[a, b]),
        }
    }

    /// `-x`.
    pub fn neg(&mut self, x: NodeId) -> NodeId {
        match self.as_number(x) {
            Some(value) => self.full_like(-value, x),
            None => self.row("neg", &[x]),
        }
    }

    /// `factor · x`.
    pub fn scale(&mut self, x: NodeId, factor: f64) -> NodeId {
        let factor = self.full_like(factor, x);
        self.mul(x, factor)
    }

    /// `x + number`.
    pub fn offset(&mut self, x: NodeId, number: f64) -> NodeId {
        let number = self.full_like(number, x);
        self.add(x, number)
    }

    /// `x²`.
    pub fn square(&mut self, x: NodeId) -> NodeId {
        self.row("square", &[x])
    }

    /// `1 / x`.
    pub fn recip(&mut self, x: NodeId) -> NodeId {
        self.row("recip", &[x])
    }

    /// `exp(x)`.
    pub fn exp(&mut self, x: NodeId) -> NodeId {
        self.row("exp", &[x])
    }

    /// `log(x)`.
    pub fn log(&mut self, x: NodeId) -> NodeId {
        self.row("log", &[x])
    }
}
