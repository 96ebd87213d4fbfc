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
pub(super) struct Problem {
    /// The labels of each operand, as a set.
    operands: Vec<Labels>,
    output: Labels,
    /// The nominal size of each label of the sets.
    sizes: Vec<f64>,
}

/// A set of labels: those of one problem, numbered from 0.
type Labels = u128;

/// Where dynamic programming over all subsets ends.
const EXACT: usize = 8;

impl Problem {
    /// The problem of these operands; none where it has more labels than a set holds.
    pub fn new(operands: &[Vec<Label>], output: &[Label], nominal: &[f64]) -> Option<Problem> {
        let mut labels: Vec<Label> = operands.iter().flatten().copied().collect();
        labels.sort_unstable();
        labels.dedup();
        if labels.len() > Labels::BITS as usize || operands.is_empty() {
            return None;
        }
        let set = |of: &[Label]| {
            let numbers = of.iter().filter_map(|label| labels.binary_search(label).ok());
            numbers.fold(0, |set, number| set | 1 << number)
        };
        Some(Problem {
            operands: operands.iter().map(|of| set(of)).collect(),
            output: set(output),
            sizes: labels.iter().map(|label| nominal[*label]).collect(),
        })
    }

    /// The cheapest tree, and its cost.
    pub fn solve(&self) -> (Tree, f64) {
        if self.operands.len() <= EXACT { self.exact() } else { self.greedy() }
    }

    /// A multiplication for each index; what is summed is added on the way.
    fn count(&self, mut labels: Labels) -> f64 {
        let mut product = 1.0;
        while labels != 0 {
            product *= self.sizes[labels.trailing_zeros() as usize];
            labels &= labels - 1;
        }
        product
    }

    fn exact(&self) -> (Tree, f64) {
        let n = self.operands.len();
        let every = (1usize << n) - 1;
        let mut unions: Vec<Labels> = vec![0; 1 << n];
        for set in 1..=every {
            unions[set] = unions[set & (set - 1)] | self.operands[set.trailing_zeros() as usize];
        }
        // What is left of a product: the labels that the result or another operand needs.
        let left: Vec<Labels> =
            (0..=every).map(|set| unions[set] & (self.output | unions[every & !set])).collect();
        let mut costs = vec![f64::INFINITY; 1 << n];
        let mut splits = vec![0; 1 << n];
        for set in 1..=every {
            if set.is_power_of_two() {
                costs[set] = 0.0;
                continue;
            }
            // Every split into two, each once: the lowest operand is on the left.
            let lowest = set & set.wrapping_neg();
            let mut right = (set - 1) & set;
            while right > 0 {
                if right & lowest == 0 {
                    let other = set & !right;
                    let cost = costs[other] + costs[right] + self.count(left[other] | left[right]);
                    if cost < costs[set] {
                        (costs[set], splits[set]) = (cost, right);
                    }
                }
                right = (right - 1) & set;
            }
        }
        (tree(&splits, every), costs[every])
    }

    fn greedy(&self) -> (Tree, f64) {
        let mut parts: Vec<(Labels, Tree)> =
            self.operands.iter().enumerate().map(|(o, labels)| (*labels, Tree::One(o))).collect();
        let mut total = 0.0;
        while parts.len() > 1 {
            let mut best = (0, 1, f64::INFINITY);
            for i in 0..parts.len() {
                for j in i + 1..parts.len() {
                    let cost = self.count(parts[i].0 | parts[j].0);
                    if cost < best.2 {
                        best = (i, j, cost);
                    }
                }
            }
            let (b, right) = parts.remove(best.1);
            let (a, left) = parts.remove(best.0);
            let needed = parts.iter().fold(self.output, |needed, (labels, _)| needed | labels);
            parts.insert(best.0, ((a | b) & needed, Tree::Pair(Box::new(left), Box::new(right))));
            total += best.2;
        }
        (parts.swap_remove(0).1, total)
    }
}

fn tree(splits: &[usize], set: usize) -> Tree {
    match splits[set] {
        0 => Tree::One(set.trailing_zeros() as usize),
        right => Tree::Pair(Box::new(tree(splits, set & !right)), Box::new(tree(splits, right))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_matrices_is_cut_at_its_thinnest_place() {
        // 10 × 100 × 5 × 50, the textbook's example.
        let sizes = [10.0, 100.0, 5.0, 50.0];
        let problem = Problem::new(&[vec![0, 1], vec![1, 2], vec![2, 3]], &[0, 3], &sizes).unwrap();
        let (tree, cost) = problem.solve();
        assert_eq!(cost, 5000.0 + 2500.0);
        let left = Tree::Pair(Box::new(Tree::One(0)), Box::new(Tree::One(1)));
        assert_eq!(tree, Tree::Pair(Box::new(left), Box::new(Tree::One(2))));
        assert_eq!(problem.greedy(), problem.exact());
    }
}
