//! Rules for views: two views are one, and a view of a number is that number.
//!
//! In: a view of simple arguments. Out: something simpler, or nothing. Never: a copy where there was none.

use super::Simplifier;
use crate::graph::*;
use crate::size::Size;

impl Simplifier {
    pub(super) fn view(&mut self, view: &View, args: &[NodeId], ty: &Type) -> Option<NodeId> {
        let inner = self.graph.node(args[0]).clone();
        let from = inner.ty.clone();
        let number = self.number(args[0]);
        match view {
            View::Identity => Some(args[0]),
            View::Number => None,
            View::Reshape => self.reshape(args[0], &inner, ty),
            View::Permute(axes) => match (&inner.kind, number) {
                (_, Some(number)) => Some(self.full(number, ty)),
                _ if from == *ty && axes.is_sorted() => Some(args[0]),
                (Kind::View(View::Permute(first)), _) => {
                    let both = axes.iter().map(|axis| first[*axis]).collect();
                    Some(self.make(Kind::View(View::Permute(both)), inner.args, ty.clone()))
                }
                _ => None,
            },
            View::Broadcast(axes) => match &inner.kind {
                _ if from == *ty && axes.iter().copied().eq((0..axes.len()).map(Some)) => Some(args[0]),
                Kind::View(View::Broadcast(first)) => {
                    let both = axes.iter().map(|axis| axis.and_then(|axis| first[axis])).collect();
                    Some(self.make(Kind::View(View::Broadcast(both)), inner.args, ty.clone()))
                }
                _ => None,
            },
            View::Slice { axis, start } => self.slice(*axis, start, args[0], &inner, ty),
            View::Pad { axis, before } => match &inner.kind {
                _ if number == Some(0.0) => Some(self.full(0.0, ty)),
                _ if from == *ty => Some(args[0]),
                Kind::View(View::Pad { axis: other, before: first }) if axis == other => {
                    let both = View::Pad { axis: *axis, before: before + first };
                    Some(self.make(Kind::View(both), inner.args, ty.clone()))
                }
                _ => None,
            },
            View::Concat { .. } => match args {
                [one] => Some(*one),
                _ => {
                    let first = number?;
                    let same = args.iter().all(|arg| self.number(*arg) == Some(first));
                    same.then(|| self.full(first, ty))
                }
            },
            View::Window { axis, kernel, .. } => self.window(*axis, *kernel, args[0], &inner, ty),
            View::Fold { axis, .. } => self.fold(*axis, args[0], ty),
            View::Batch | View::Unbatch => match (&inner.kind, number) {
                (_, Some(number)) => Some(self.full(number, ty)),
                (Kind::View(View::Batch | View::Unbatch), _) => {
                    (self.graph.ty(inner.args[0]) == ty).then(|| inner.args[0])
                }
                _ => None,
            },
        }
    }

    /// Pieces of a repeated value are repeated; a piece that is the whole axis, or an element of each, only adds an
    /// axis of size 1.
    fn window(&mut self, axis: usize, kernel: usize, arg: NodeId, inner: &Node, ty: &Type) -> Option<NodeId> {
        if let Some(number) = self.number(arg) {
            return Some(self.full(number, ty));
        }
        let (from, to) = (inner.ty.shape(), ty.shape());
        if kernel == 1 && from[axis] == to[axis] || to[axis].is_one() && from[axis] == to[axis + 1] {
            return Some(self.make(Kind::View(View::Reshape), vec![arg], ty.clone()));
        }
        match &inner.kind {
            Kind::View(View::Broadcast(places)) if places[axis].is_none() => {
                let mut places = places.clone();
                places.insert(axis, None);
                Some(self.make(Kind::View(View::Broadcast(places)), inner.args.clone(), ty.clone()))
            }
            _ => None,
        }
    }

    fn fold(&mut self, axis: usize, arg: NodeId, ty: &Type) -> Option<NodeId> {
        if self.number(arg) == Some(0.0) {
            return Some(self.full(0.0, ty));
        }
        let (from, to) = (self.graph.ty(arg).shape(), ty.shape());
        let alone = from[axis + 1].is_one() && from[axis] == to[axis]
            || from[axis].is_one() && from[axis + 1] == to[axis];
        alone.then(|| self.make(Kind::View(View::Reshape), vec![arg], ty.clone()))
    }

    fn reshape(&mut self, arg: NodeId, inner: &Node, ty: &Type) -> Option<NodeId> {
        if inner.ty == *ty {
            return Some(arg);
        }
        if let Some(number) = self.number(arg) {
            return Some(self.full(number, ty));
        }
        if inner.kind == Kind::View(View::Reshape) {
            return Some(self.make(Kind::View(View::Reshape), inner.args.clone(), ty.clone()));
        }
        // Only axes of size 1 come and go: the other axes are seen through a broadcast.
        let (old, new) = (inner.ty.shape(), ty.shape());
        let mut next = 0..old.len();
        let mut places = Vec::with_capacity(new.len());
        for (axis, size) in new.iter().enumerate() {
            let row = axis < ty.rows.len();
            places.push(if row || !size.is_one() {
                Some(next.find(|from| row || !old[*from].is_one())?)
            } else {
                None
            });
        }
        let fits = places.iter().zip(&new).all(|(place, size)| place.is_none_or(|p| old[p] == *size))
            && next.all(|from| old[from].is_one());
        fits.then(|| self.make(Kind::View(View::Broadcast(places)), vec![arg], ty.clone()))
    }

    fn slice(&mut self, axis: usize, start: &Size, arg: NodeId, inner: &Node, ty: &Type) -> Option<NodeId> {
        if inner.ty == *ty {
            return Some(arg);
        }
        if let Some(number) = self.number(arg) {
            return Some(self.full(number, ty));
        }
        let again = |view: View| Kind::View(view);
        match &inner.kind {
            Kind::View(View::Slice { axis: other, start: first }) if *other == axis => {
                let both = again(View::Slice { axis, start: start + first });
                Some(self.make(both, inner.args.clone(), ty.clone()))
            }
            Kind::View(View::Broadcast(places)) if places[axis].is_none() => {
                Some(self.make(again(View::Broadcast(places.clone())), inner.args.clone(), ty.clone()))
            }
            Kind::View(View::Concat { axis: other }) if *other == axis => {
                // Inside one argument: for every value of the symbols.
                let end = start + &ty.shape()[axis];
                let mut before = Size::default();
                for part in &inner.args {
                    let after = &before + &self.graph.ty(*part).shape()[axis];
                    if (start - &before).value().is_some() && (&after - &end).value().is_some() {
                        let slice = again(View::Slice { axis, start: start - &before });
                        return Some(self.make(slice, vec![*part], ty.clone()));
                    }
                    before = after;
                }
                None
            }
            Kind::View(View::Pad { axis: other, before }) if *other == axis => {
                let after = before + &self.graph.ty(inner.args[0]).shape()[axis];
                let rest = &after - &(start + &ty.shape()[axis]);
                let inside = (start - before).value().is_some() && rest.value().is_some();
                let slice = again(View::Slice { axis, start: start - before });
                inside.then(|| self.make(slice, inner.args.clone(), ty.clone()))
            }
            _ => None,
        }
    }
}
