//! What the contract pass reaches, as texts: `tests/golden/*.txt`. `DIABOLO_BLESS=1` writes them anew.

use diabolo_compiler::autodiff::{differentiate_loss, jacobian};
use diabolo_compiler::graph::*;
use diabolo_compiler::interp::{Inputs, interpret};
use diabolo_compiler::passes::{contract, simplify};
use diabolo_compiler::print::print_bare;
use diabolo_compiler::size::Size;
use diabolo_compiler::testing::{Rng, difference, same_meaning};
use diabolo_compiler::verify::verify;

/// A sigmoid network, input width first.
struct Net {
    graph: Graph,
    widths: Vec<usize>,
}

impl Net {
    fn new(widths: &[usize]) -> Net {
        let mut graph = Graph::default();
        graph.networks.push(NetworkDecl {
            name: "encode".into(),
            id: "0".into(),
            routes: Vec::new(),
            trained: true,
        });
        graph.inputs.push(InputDecl { name: "x".into(), ty: rows(widths[0]), index: false });
        Net { graph, widths: widths.to_vec() }
    }

    fn param(&mut self, path: String, features: &[usize]) -> NodeId {
        let ty = Type { rows: vec![], features: features.iter().map(|n| Size::known(*n)).collect() };
        let index = self.graph.params.len();
        self.graph.params.push(ParamDecl {
            path,
            network: 0,
            ty: ty.clone(),
            initial: Initial::Normal(0.5),
            state: false,
        });
        self.graph.push(Kind::Param(index), vec![], ty)
    }

    /// `sigmoid(x W + b)`, or another activation, layer after layer.
    fn encode(&mut self, x: NodeId, activation: &str) -> NodeId {
        let mut h = x;
        for layer in 1..self.widths.len() {
            let (inner, outer) = (self.widths[layer - 1], self.widths[layer]);
            let w = self.param(format!("encode.dense{layer}.weight"), &[inner, outer]);
            let b = self.param(format!("encode.dense{layer}.bias"), &[outer]);
            let product = self.graph.contract(vec![vec![0, 1], vec![1, 2]], &[h, w], vec![0, 2], 1);
            let ty = self.graph.ty(product).clone();
            let bias = self.graph.broadcast_like(b, &ty).unwrap();
            let sum = self.graph.add(product, bias);
            h = self.graph.row(activation, &[sum]);
        }
        h
    }

    fn loss(&mut self, each: NodeId) {
        let loss = self.graph.mean(each, &[0]);
        self.graph.outputs.push(Output { role: Role::Loss, node: loss });
        differentiate_loss(&mut self.graph);
        verify(&self.graph, "autodiff").unwrap();
    }

    fn inputs(&self, seed: u64) -> Inputs {
        let mut rng = Rng(seed);
        let mut data = |ty: &Type| -> Vec<f64> {
            (0..ty.elements().evaluate(&|_| 3)).map(|_| rng.between(-1.0, 1.0)).collect()
        };
        Inputs {
            symbols: [("B".to_owned(), 3)].into(),
            inputs: self.graph.inputs.iter().map(|d| data(&d.ty)).collect(),
            params: self.graph.params.iter().map(|d| data(&d.ty)).collect(),
            ..Inputs::default()
        }
    }
}

fn rows(n: usize) -> Type {
    Type { rows: vec![Size::batch()], features: vec![Size::known(n)] }
}

/// The penalty ‖∂h/∂x‖² of a network, its gradients too.
fn contractive(widths: &[usize], activation: &str) -> Net {
    let mut net = Net::new(widths);
    let x = net.graph.push(Kind::Input(0), vec![], rows(widths[0]));
    let cut = net.graph.identity(x);
    let h = net.encode(cut, activation);
    let j = jacobian(&mut net.graph, h, cut).unwrap();
    let square = net.graph.square(j);
    let penalty = net.graph.sum(square, &[1, 2]);
    net.loss(penalty);
    net
}

fn golden(name: &str, graph: &Graph) {
    let text = print_bare(graph);
    let path = format!("{}/tests/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("DIABOLO_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == expected, "{name} has changed; DIABOLO_BLESS=1 accepts it:\n{text}");
}

/// Elements a row of the widest value with rows.
fn widest(graph: &Graph) -> f64 {
    graph
        .nodes
        .iter()
        .filter(|n| !n.ty.rows.is_empty())
        .map(|n| n.ty.elements().nominal() / 128.0)
        .fold(0.0, f64::max)
}

#[test]
fn one_sigmoid_layer_needs_only_the_norms_of_its_weights() {
    let net = contractive(&[64, 32], "sigmoid");
    let new = contract(&net.graph);
    verify(&new, "contract").unwrap();
    golden("contractive_one_layer", &new);
    assert_eq!(widest(&simplify(&net.graph)), 64.0 * 32.0);
    assert_eq!(widest(&new), 64.0);
    let small = contractive(&[5, 4], "sigmoid");
    same_meaning(&small.graph, &contract(&small.graph), &small.inputs(1), 1e-13).unwrap();
}

#[test]
fn two_layers_share_a_matrix_without_rows() {
    let net = contractive(&[784, 256, 32], "sigmoid");
    let new = contract(&net.graph);
    verify(&new, "contract").unwrap();
    golden("contractive_two_layers", &new);
    for widths in [[12, 5, 3], [3, 9, 7]] {
        let small = contractive(&widths, "tanh");
        same_meaning(&small.graph, &contract(&small.graph), &small.inputs(2), 1e-13).unwrap();
    }
}

#[test]
fn the_gradient_of_a_jacobian_norm_is_that_of_differences() {
    for (widths, activation) in [(&[4, 3][..], "sigmoid"), (&[3, 5, 2], "tanh"), (&[3, 4, 4, 2], "softplus")]
    {
        let net = contractive(widths, activation);
        let inputs = net.inputs(3);
        let new = contract(&net.graph);
        let values = interpret(&new, &inputs).unwrap();
        for output in &new.outputs {
            let Role::Gradient(param) = output.role else { continue };
            for e in 0..values[output.node].data.len() {
                let loss = new.outputs[0].node;
                let (slope, error) = difference(&new, &inputs, loss, |i| &mut i.params[param][e]).unwrap();
                let got = values[output.node].data[e];
                assert!((got - slope).abs() < 1e-8 + 4.0 * error, "{widths:?} {param} {e}: {got} {slope}");
            }
        }
    }
}

#[test]
fn plain_networks_stay_as_they_are() {
    let mut net = Net::new(&[784, 256, 64, 256, 784]);
    let x = net.graph.push(Kind::Input(0), vec![], rows(784));
    let y = net.encode(x, "relu");
    let error = net.graph.sub(y, x);
    let square = net.graph.square(error);
    let each = net.graph.sum(square, &[1]);
    net.loss(each);
    assert_eq!(print_bare(&contract(&net.graph)), print_bare(&simplify(&net.graph)));
}

/// A graph over `x: Tensor<B, 4>` and parameters, and the nodes of both.
fn over(shapes: &[&[usize]]) -> (Graph, NodeId, Vec<NodeId>) {
    let mut net = Net::new(&[4]);
    let x = net.graph.push(Kind::Input(0), vec![], rows(4));
    let params = shapes.iter().enumerate().map(|(i, shape)| net.param(format!("p{i}"), shape)).collect();
    (net.graph, x, params)
}

/// How many triangular factors there are, and of what.
fn factors(graph: &Graph) -> Vec<String> {
    let factors = graph.nodes.iter().filter(|node| node.kind == Kind::TriangularFactor);
    factors.map(|node| graph.ty(node.args[0]).to_string()).collect()
}

/// Contracts a graph with these results and checks that it means the same.
fn contracted(mut graph: Graph, results: &[NodeId]) -> Graph {
    for (index, node) in results.iter().enumerate() {
        graph.outputs.push(Output { role: Role::Result(index), node: *node });
    }
    verify(&graph, "test").unwrap();
    let new = contract(&graph);
    verify(&new, "contract").unwrap();
    same_meaning(&graph, &new, &Net { graph: graph.clone(), widths: vec![] }.inputs(4), 1e-13).unwrap();
    new
}

#[test]
fn squares_of_sums_become_triangular_factors_and_no_gram_matrices() {
    // ‖x W‖² a row, with W wide: x (W Wᵀ) xᵀ would be cheaper still, and cancels.
    let (mut graph, x, params) = over(&[&[4, 300]]);
    let product = graph.contract(vec![vec![0, 1], vec![1, 2]], &[x, params[0]], vec![0, 2], 1);
    let square = graph.square(product);
    let norm = graph.sum(square, &[1]);
    let double = graph.mul(product, product);
    let same = graph.contract(vec![vec![0, 1], vec![0, 1]], &[product, product], vec![0], 1);
    let other = graph.sum(double, &[1]);
    let new = contracted(graph, &[norm, same, other]);
    let text = print_bare(&new);
    assert_eq!(factors(&new), ["Tensor<300, 4>"], "{text}");
    let product = "Tensor<B, 4> = contract ab,cb->ac %0 %3";
    assert!(text.contains(product) && !text.contains("Tensor<4, 4> = contract"), "{text}");
}

#[test]
fn every_sum_of_squares_of_a_product_with_a_long_matrix_is_narrowed() {
    // Σ d² (s · x W)²: a factor of each row and one of none stay outside.
    let (mut graph, x, params) = over(&[&[300, 4], &[4]]);
    let product = graph.contract(vec![vec![0, 1], vec![2, 1]], &[x, params[0]], vec![0, 2], 1);
    let slope = graph.sum(x, &[1]);
    let slope = graph.row("tanh", &[slope]);
    let ty = graph.ty(product).clone();
    let slopes = graph.broadcast(slope, vec![Some(0), None], ty);
    let scaled = graph.mul(slopes, product);
    let scaled = graph.scale(scaled, 3.0);
    let square = graph.square(scaled);
    let sum = graph.sum(square, &[0, 1]);
    assert_eq!(factors(&contracted(graph, &[sum])), ["Tensor<300, 4>"]);

    // Axes in any order, several of each: Σ_{dfg} (Σ_{ab} x_{ab} W_{dafbg})².
    let (mut graph, x, params) = over(&[&[20, 2, 5, 2, 3]]);
    let ty = Type { features: vec![Size::known(2), Size::known(2)], ..rows(4) };
    let x = graph.reshape(x, ty);
    let inputs = vec![vec![3, 1, 4, 2, 5], vec![0, 1, 2]];
    let product = graph.contract(inputs, &[params[0], x], vec![0, 4, 3, 5], 1);
    let square = graph.square(product);
    let sum = graph.sum(square, &[1, 2, 3]);
    assert_eq!(factors(&contracted(graph, &[sum])), ["Tensor<300, 4>"]);

    // One matrix for each of three groups; and only one of the long axes is summed.
    let (mut graph, x, params) = over(&[&[3, 4, 200, 6]]);
    let inputs = vec![vec![0, 1], vec![2, 1, 3, 4]];
    let product = graph.contract(inputs, &[x, params[0]], vec![0, 2, 3, 4], 1);
    let square = graph.square(product);
    let sum = graph.sum(square, &[2]);
    assert_eq!(factors(&contracted(graph, &[sum])), ["Tensor<3, 6, 200, 4>"]);

    // Without rows: Σ (U V)², where what is left of one is not worth a factor of the other.
    let (mut graph, _, params) = over(&[&[500, 6], &[6, 400]]);
    let product = graph.contract(vec![vec![0, 1], vec![1, 2]], &params, vec![0, 2], 0);
    let square = graph.square(product);
    let sum = graph.sum(square, &[0, 1]);
    assert_eq!(factors(&contracted(graph, &[sum])), ["Tensor<400, 6>"], "the one that is cheaper");
}

#[test]
fn sums_that_share_a_product_are_narrowed_together() {
    // The penalty of each row, the mean that is logged, and a product that is neither.
    let sums = |shown: bool| {
        let (mut graph, x, params) = over(&[&[4, 64]]);
        let product = graph.contract(vec![vec![0, 1], vec![1, 2]], &[x, params[0]], vec![0, 2], 1);
        let square = graph.square(product);
        let (each, all) = (graph.sum(square, &[1]), graph.sum(square, &[0, 1]));
        let other = graph.contract(vec![vec![0, 1], vec![0, 1]], &[product, product], vec![], 0);
        let mut results = vec![each, all, other];
        results.extend(shown.then_some(product));
        let new = contracted(graph, &results);
        let products = new.nodes.iter().filter(|n| matches!(n.kind, Kind::Contract { .. })).count();
        (factors(&new), products)
    };
    assert_eq!(sums(false), (vec!["Tensor<64, 4>".to_owned()], 1));
    assert_eq!(sums(true).0, [""; 0]);
}

#[test]
fn what_is_not_narrower_or_is_needed_stays() {
    // A square matrix; a wide one whose product is shown; a factor along the long axis; a sum that is not squared.
    let (mut graph, x, params) = over(&[&[4, 4], &[4, 40], &[40], &[4, 40]]);
    let [square, wide, along, plain] = params[..] else { unreachable!("four parameters") };
    let mut norm = |w: NodeId, weight: Option<NodeId>, power: bool| {
        let product = graph.contract(vec![vec![0, 1], vec![1, 2]], &[x, w], vec![0, 2], 1);
        let mut each = if power { graph.square(product) } else { graph.row("abs", &[product]) };
        if let Some(weight) = weight {
            let weights = graph.broadcast_like(weight, &graph.ty(each).clone()).unwrap();
            each = graph.mul(each, weights);
        }
        (product, graph.sum(each, &[1]))
    };
    let (_, a) = norm(square, None, true);
    let (shown, b) = norm(wide, None, true);
    let (_, c) = norm(wide, Some(along), true);
    let (_, d) = norm(plain, None, false);
    assert_eq!(factors(&contracted(graph, &[a, b, shown, c, d])), [""; 0]);
}

#[test]
fn sums_move_inside_products_and_chains_start_at_the_thin_end() {
    let mut graph = Graph::default();
    graph.networks.push(NetworkDecl { name: "n".into(), id: "0".into(), routes: Vec::new(), trained: false });
    let param = |graph: &mut Graph, path: &str, features: &[usize]| {
        let ty = Type { rows: vec![], features: features.iter().map(|n| Size::known(*n)).collect() };
        let index = graph.params.len();
        graph.params.push(ParamDecl {
            state: false,
            path: path.into(),
            network: 0,
            ty: ty.clone(),
            initial: Initial::Normal(1.0),
        });
        graph.push(Kind::Param(index), vec![], ty)
    };
    // tr(U V) Σ_j c_j, written as one sum over everything.
    let (u, v, c) =
        (param(&mut graph, "u", &[50, 60]), param(&mut graph, "v", &[60, 50]), param(&mut graph, "c", &[40]));
    let all = graph.contract(vec![vec![0, 1], vec![1, 0], vec![2]], &[u, v, c], vec![], 0);
    // (A B) z with a vector z.
    let (a, b, z) =
        (param(&mut graph, "a", &[80, 90]), param(&mut graph, "b", &[90, 70]), param(&mut graph, "z", &[70]));
    let ab = graph.contract(vec![vec![0, 1], vec![1, 2]], &[a, b], vec![0, 2], 0);
    let abz = graph.contract(vec![vec![0, 1], vec![1]], &[ab, z], vec![0], 0);
    graph.outputs.push(Output { role: Role::Result(0), node: all });
    graph.outputs.push(Output { role: Role::Result(1), node: abz });
    golden("chains", &contract(&graph));
}
