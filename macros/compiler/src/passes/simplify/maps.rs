//! Rules for rows: numbers, neutral elements, signs, and rows of repeated values.
//!
//! In: a row over simple arguments. Out: something simpler, or nothing. Never: a rule that changes a finite
//! value by more than a rounding.

use super::Simplifier;
use crate::graph::*;
use crate::ops::Row;
use crate::size::Size;

impl Simplifier {
    pub(super) fn map(&mut self, row: Row, args: &[NodeId]) -> Option<NodeId> {
        let ty = self.graph.ty(args[0]).clone();
        let numbers: Vec<Option<f64>> = args.iter().map(|arg| self.number(*arg)).collect();
        if let Some(x) = numbers.iter().copied().collect::<Option<Vec<f64>>>() {
            return Some(self.full((row.eval)(&x), &ty));
        }
        let number = |i: usize| numbers.get(i).copied().flatten();
        let simpler = match row.name {
            "add" => self.sum(args, number(0), number(1)),
            "sub" => self.difference(args, number(0), number(1)),
            "mul" => self.product(args, number(0), number(1)),
            "div" => self.quotient(args, number(1)),
            "neg" => match self.is_row(args[0], "sub") {
                Some(inner) => Some(self.row("sub", &[inner[1], inner[0]])),
                None => self.is_row(args[0], "neg").map(|inner| inner[0]),
            },
            "square" | "abs" => self.is_row(args[0], "neg").map(|inner| self.row(row.name, &inner)),
            "pow" => self.power(args[0], number(1)),
            "select" => number(0).map(|condition| args[if condition != 0.0 { 1 } else { 2 }]),
            _ => None,
        };
        simpler.or_else(|| self.before_repeating(row, args, &ty))
    }

    fn sum(&mut self, args: &[NodeId], a: Option<f64>, b: Option<f64>) -> Option<NodeId> {
        if b == Some(0.0) {
            return Some(args[0]);
        }
        if a == Some(0.0) {
            return Some(args[1]);
        }
        if let Some(joined) = self.adjoining(args) {
            return Some(joined);
        }
        if let Some(inner) = self.is_row(args[1], "neg") {
            return Some(self.row("sub", &[args[0], inner[0]]));
        }
        if let Some(inner) = self.is_row(args[0], "neg") {
            return Some(self.row("sub", &[args[1], inner[0]]));
        }
        self.ordered("add", args)
    }

    /// Two values with zeros around them, one of which begins where the other one ends: one after the other, with
    /// zeros around both. So the derivative of slices is put together, not added up.
    fn adjoining(&mut self, args: &[NodeId]) -> Option<NodeId> {
        let pad = |id: NodeId| match &self.graph.node(id).kind {
            Kind::View(View::Pad { axis, before }) => {
                Some((*axis, before.clone(), self.graph.node(id).args[0]))
            }
            _ => None,
        };
        let ((axis, a, left), (other, b, right)) = (pad(args[0])?, pad(args[1])?);
        let end = |start: &Size, id: NodeId| start + &self.graph.ty(id).shape()[axis];
        let (before, first, second) = match axis == other {
            true if end(&a, left) == b => (a, left, right),
            true if end(&b, right) == a => (b, right, left),
            _ => return None,
        };
        let mut parts = Vec::new();
        for id in [first, second] {
            match &self.graph.node(id).kind {
                Kind::View(View::Concat { axis: of }) if *of == axis => {
                    parts.extend(&self.graph.node(id).args)
                }
                _ => parts.push(id),
            }
        }
        let sizes = parts.iter().map(|id| self.graph.ty(*id).shape()[axis].clone());
        let len = sizes.fold(Size::default(), |sum, size| &sum + &size);
        let ty = self.graph.ty(args[0]).clone();
        let joined = crate::build::resized(&ty, axis, len);
        let joined = self.make(Kind::View(View::Concat { axis }), parts, joined);
        Some(self.make(Kind::View(View::Pad { axis, before }), vec![joined], ty))
    }

    fn difference(&mut self, args: &[NodeId], a: Option<f64>, b: Option<f64>) -> Option<NodeId> {
        if b == Some(0.0) {
            return Some(args[0]);
        }
        if a == Some(0.0) {
            return Some(self.row("neg", &[args[1]]));
        }
        let inner = self.is_row(args[1], "neg")?;
        Some(self.row("add", &[args[0], inner[0]]))
    }

    fn product(&mut self, args: &[NodeId], a: Option<f64>, b: Option<f64>) -> Option<NodeId> {
        if a.is_some() {
            return Some(self.row("mul", &[args[1], args[0]])); // numbers second
        }
        match b {
            Some(0.0) => return Some(args[1]),
            Some(1.0) => return Some(args[0]),
            Some(-1.0) => return Some(self.row("neg", &[args[0]])),
            Some(number) => {
                let ty = self.graph.ty(args[0]).clone();
                if let Some(inner) = self.is_row(args[0], "neg") {
                    let negative = self.full(-number, &ty);
                    return Some(self.row("mul", &[inner[0], negative]));
                }
                let inner = self.is_row(args[0], "mul")?;
                let folded = number * self.number(inner[1])?;
                let folded = self.full(folded, &ty);
                return Some(self.row("mul", &[inner[0], folded]));
            }
            None => {}
        }
        if args[0] == args[1] {
            return Some(self.row("square", &args[..1]));
        }
        // A sign, and a number, go outside: then equal products are found.
        for (i, j) in [(0, 1), (1, 0)] {
            if let Some(inner) = self.is_row(args[i], "neg") {
                let product = self.row("mul", &[inner[0], args[j]]);
                return Some(self.row("neg", &[product]));
            }
            if let Some(inner) = self.is_row(args[i], "mul").filter(|inner| self.number(inner[1]).is_some()) {
                let product = self.row("mul", &[inner[0], args[j]]);
                return Some(self.row("mul", &[product, inner[1]]));
            }
        }
        self.ordered("mul", args)
    }

    fn quotient(&mut self, args: &[NodeId], b: Option<f64>) -> Option<NodeId> {
        let number = b?;
        // Exact: the reciprocal of a power of two.
        let exact = number.is_normal() && number.to_bits() << 12 == 0 && number.recip().is_normal();
        if !exact {
            return None;
        }
        let ty = self.graph.ty(args[0]).clone();
        let factor = self.full(number.recip(), &ty);
        Some(self.row("mul", &[args[0], factor]))
    }

    fn power(&mut self, base: NodeId, exponent: Option<f64>) -> Option<NodeId> {
        let ty = self.graph.ty(base).clone();
        match exponent? {
            0.0 => Some(self.full(1.0, &ty)),
            0.5 => Some(self.row("sqrt", &[base])),
            1.0 => Some(base),
            2.0 => Some(self.row("square", &[base])),
            -1.0 => Some(self.row("recip", &[base])),
            _ => None,
        }
    }

    /// The arguments of a commutative row in one order, so that equal values are found; numbers stay second.
    fn ordered(&mut self, name: &str, args: &[NodeId]) -> Option<NodeId> {
        let numbers_last = |id: &NodeId| (self.number(*id).is_some(), *id);
        (numbers_last(&args[0]) > numbers_last(&args[1])).then(|| self.row(name, &[args[1], args[0]]))
    }

    /// A row of values that are all repeated alike is computed once, and then repeated.
    fn before_repeating(&mut self, row: Row, args: &[NodeId], ty: &Type) -> Option<NodeId> {
        let repeated = args.iter().find(|arg| self.number(**arg).is_none())?;
        let Kind::View(View::Broadcast(axes)) = self.graph.node(*repeated).kind.clone() else { return None };
        let small = self.graph.ty(self.graph.node(*repeated).args[0]).clone();
        let mut inner = Vec::with_capacity(args.len());
        for arg in args {
            match (&self.graph.node(*arg).kind, self.number(*arg)) {
                (_, Some(number)) => inner.push(self.full(number, &small)),
                (Kind::View(View::Broadcast(other)), _) if *other == axes => {
                    inner.push(self.graph.node(*arg).args[0]);
                }
                _ => return None,
            }
        }
        if inner.iter().any(|arg| *self.graph.ty(*arg) != small) {
            return None;
        }
        let once = self.make(Kind::Map(row), inner, small);
        Some(self.make(Kind::View(View::Broadcast(axes)), vec![once], ty.clone()))
    }
}
