//! Which random programs are compiled, and how one is made smaller.
//!
//! In: the environment variable `DIABOLO_RANDOM`, or nothing. Out: a list of specifications, and the graph of each. Never:
//! a program that its specification does not fix.

use std::fmt;
use std::str::FromStr;

use diabolo_compiler::graph::{Graph, Kind, Node, NodeId, Type, View};
use diabolo_compiler::interp::Inputs;
use diabolo_compiler::{autodiff, passes, testing};

/// The environment variable that lists other programs than those of every check: `0..500`, or `17:9:2:14,23.1`, which is
/// seed 17, its first 9 steps, its output 2 alone, node 14 replaced by a number and node 23 by its argument 1; blanks
/// between several.
pub const VARIABLE: &str = "DIABOLO_RANDOM";
/// What a node is replaced by: nothing jumps there.
const NUMBER: f64 = 0.371_3;

/// A random program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    /// Its seed.
    pub seed: u64,
    /// How many nodes are made before its gradient.
    pub steps: usize,
    /// The only output that is kept, by its place; all where none is.
    pub output: Option<usize>,
    /// The nodes, with the gradient's, that are replaced: by a number, or by one of their arguments.
    pub cut: Vec<(u32, Option<usize>)>,
}

impl Spec {
    /// The whole program of a seed.
    pub fn whole(seed: u64) -> Self {
        Spec { seed, steps: testing::steps(seed), output: None, cut: Vec::new() }
    }

    /// Its name as a module.
    pub fn name(&self) -> String {
        format!("random{self}").replace([':', ','], "_").replace('*', "all").replace('.', "by")
    }

    /// The program with its gradients before any pass, and what it is run on.
    pub fn raw(&self) -> (Graph, Inputs) {
        let testing::Program { mut graph, inputs } = testing::program(self.seed, self.steps);
        autodiff::differentiate_loss(&mut graph);
        if let Some(output) = self.output {
            graph.outputs = graph.outputs.get(output).cloned().into_iter().collect();
        }
        if !self.cut.is_empty() {
            graph = self.without_cut(&graph);
        }
        (graph, inputs)
    }

    /// The same as it is scheduled.
    pub fn graph(&self) -> (Graph, Inputs) {
        let (mut graph, inputs) = self.raw();
        for (_, pass) in passes::ALL {
            graph = pass(&graph);
        }
        (graph, inputs)
    }

    /// Every node one place later, and a number ahead of them all.
    fn without_cut(&self, graph: &Graph) -> Graph {
        let later = |id: NodeId| NodeId(id.0 + 1);
        let mut start = Graph::default();
        let number = start.number(NUMBER);
        let old = graph.ids().map(|id| {
            let Node { kind, args, ty, origin } = graph.node(id).clone();
            let args: Vec<NodeId> = args.into_iter().map(later).collect();
            let (kind, args) = match self.cut.iter().find(|(node, _)| *node == id.0) {
                None => (kind, args),
                Some((_, Some(arg))) => {
                    (Kind::View(View::Identity), args.get(*arg).copied().into_iter().collect())
                }
                Some((_, None)) if ty == Type::scalar() => (Kind::View(View::Identity), vec![number]),
                Some((_, None)) => (Kind::View(View::Broadcast(vec![None; ty.rank()])), vec![number]),
            };
            Node { kind, args, ty, origin }
        });
        let nodes = start.nodes.into_iter().chain(old).collect();
        let mut outputs = graph.outputs.clone();
        outputs.iter_mut().for_each(|output| output.node = later(output.node));
        Graph { nodes, outputs, by_hand: Vec::new(), ..graph.clone() }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spec { seed, steps, output, cut } = self;
        let output = output.map_or("*".to_owned(), |output| output.to_string());
        let cut: Vec<String> =
            cut.iter().map(|(node, by)| by.map_or(node.to_string(), |arg| format!("{node}.{arg}"))).collect();
        match *self == Spec::whole(*seed) {
            true => write!(f, "{seed}"),
            false => write!(f, "{seed}:{steps}:{output}:{}", cut.join(",")),
        }
    }
}

impl FromStr for Spec {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |_| format!("`{text}` is not SEED or SEED:STEPS:OUTPUT:NODE,NODE.ARGUMENT");
        let mut parts = text.split(':');
        let mut spec = Spec::whole(parts.next().unwrap_or("").parse().map_err(wrong)?);
        if let Some(steps) = parts.next() {
            spec.steps = steps.parse().map_err(wrong)?;
        }
        if let Some(output) = parts.next().filter(|output| *output != "*") {
            spec.output = Some(output.parse().map_err(wrong)?);
        }
        let cut = parts.next().unwrap_or("").split(',').filter(|node| !node.is_empty());
        let one = |node: &str| -> Result<(u32, Option<usize>), String> {
            match node.split_once('.') {
                None => Ok((node.parse().map_err(wrong)?, None)),
                Some((node, arg)) => Ok((node.parse().map_err(wrong)?, Some(arg.parse().map_err(wrong)?))),
            }
        };
        spec.cut = cut.map(one).collect::<Result<_, _>>()?;
        Ok(spec)
    }
}

/// A list, as it stands in [`VARIABLE`].
///
/// # Errors
/// The word that is neither a program nor a range of seeds.
pub fn parse(text: &str) -> Result<Vec<Spec>, String> {
    let mut specs = Vec::new();
    for word in text.split_whitespace() {
        match word.split_once("..") {
            None => specs.push(word.parse()?),
            Some((from, to)) => match (from.parse(), to.parse::<u64>()) {
                (Ok(from), Ok(to)) => specs.extend((from..to).map(Spec::whole)),
                _ => return Err(format!("`{word}` is not a range of seeds")),
            },
        }
    }
    Ok(specs)
}
