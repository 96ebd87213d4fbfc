//! In which order to multiply the factors of a term.
//!
//! In: the labels of each operand, the labels of the result, the size of each label. Out: a tree of pairs,
//! the cheapest by dynamic programming up to eight operands, by greed above. Never: a measured time.

use super::term::Label;

/// Pairs of operands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    /// An operand.
    One(usize),
    /// The product of two, summed over the labels that nothing else needs.
    Pair(Box<Tree>, Box<Tree>),
}

/// What the order is chosen for.
pub(super) struct Problem<'a> {
    pub operands: Vec<Vec<Label>>,
    pub output: &'a [Label],
    /// Nominal sizes by label.
    pub sizes: &'a [f64],
}

/// Where dynamic programming over all subsets ends.
const EXACT: usize = 8;

impl Problem<'_> {
    /// The cheapest tree and its cost; there is at least one operand.
    pub fn solve(&self) -> (Tree, f64) {
        if self.operands.len() <= EXACT { self.exact() } else { self.greedy() }
    }

    /// The labels of the product of a set of operands: those that the result or another operand needs.
    pub fn labels(&self, set: u64) -> Vec<Label> {
        let mut labels = Vec::new();
        for operand in self.members(set) {
            for label in &self.operands[operand] {
                if !labels.contains(label) && self.needed(*label, set) {
                    labels.push(*label);
                }
            }
        }
        labels
    }

    fn needed(&self, label: Label, set: u64) -> bool {
        let outside = !set & ((1 << self.operands.len()) - 1);
        self.output.contains(&label) || self.members(outside).any(|o| self.operands[o].contains(&label))
    }

    fn members(&self, set: u64) -> impl Iterator<Item = usize> + use<> {
        (0..self.operands.len()).filter(move |operand| set >> operand & 1 == 1)
    }

    /// The cost of one product: a multiplication for each index, an addition where something is summed.
    fn pair(&self, left: u64, right: u64) -> f64 {
        let mut all = self.labels(left);
        all.extend(self.labels(right));
        all.sort_unstable();
        all.dedup();
        all.iter().map(|label| self.sizes[*label]).product()
    }

    fn exact(&self) -> (Tree, f64) {
        let n = self.operands.len();
        let mut best: Vec<Option<(Tree, f64)>> = vec![None; 1 << n];
        (0..n).for_each(|operand| best[1 << operand] = Some((Tree::One(operand), 0.0)));
        for set in 1..1u64 << n {
            if set.is_power_of_two() {
                continue;
            }
            // Every split into two, each once: the lowest operand is on the left.
            let lowest = set & set.wrapping_neg();
            let mut right = (set - 1) & set;
            let mut cheapest: Option<(u64, f64)> = None;
            while right > 0 {
                if right & lowest == 0 {
                    let left = set & !right;
                    if let (Some((_, a)), Some((_, b))) = (&best[left as usize], &best[right as usize]) {
                        let cost = a + b + self.pair(left, right);
                        if cheapest.is_none_or(|(_, least)| cost < least) {
                            cheapest = Some((right, cost));
                        }
                    }
                }
                right = (right - 1) & set;
            }
            best[set as usize] = cheapest.and_then(|(right, cost)| {
                let (a, b) = (best[(set & !right) as usize].clone()?, best[right as usize].clone()?);
                Some((Tree::Pair(Box::new(a.0), Box::new(b.0)), cost))
            });
        }
        best.pop().flatten().unwrap_or((Tree::One(0), 0.0))
    }

    fn greedy(&self) -> (Tree, f64) {
        let mut parts: Vec<(u64, Tree)> = (0..self.operands.len()).map(|o| (1 << o, Tree::One(o))).collect();
        let mut total = 0.0;
        while parts.len() > 1 {
            let mut best = (0, 1, f64::INFINITY);
            for i in 0..parts.len() {
                for j in i + 1..parts.len() {
                    let cost = self.pair(parts[i].0, parts[j].0);
                    if cost < best.2 {
                        best = (i, j, cost);
                    }
                }
            }
            let (set, right) = parts.remove(best.1);
            let (other, left) = std::mem::replace(&mut parts[best.0], (0, Tree::One(0)));
            parts[best.0] = (other | set, Tree::Pair(Box::new(left), Box::new(right)));
            total += best.2;
        }
        (parts.swap_remove(0).1, total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_matrices_is_cut_at_its_thinnest_place() {
        // (ab)(bc)(cd) with b small: a(b c)(c d) is dearer than … the classic 10×100×5×50.
        let sizes = [10.0, 100.0, 5.0, 50.0];
        let problem =
            Problem { operands: vec![vec![0, 1], vec![1, 2], vec![2, 3]], output: &[0, 3], sizes: &sizes };
        let (tree, cost) = problem.solve();
        assert_eq!(cost, 5000.0 + 2500.0);
        let left = Tree::Pair(Box::new(Tree::One(0)), Box::new(Tree::One(1)));
        assert_eq!(tree, Tree::Pair(Box::new(left), Box::new(Tree::One(2))));
        assert_eq!(problem.greedy(), problem.exact());
    }
}
