//! Who owns which parameter, and what it is called.
//!
//! In: calls of networks and layers, `param(…)`. Out: `ParamDecl`s with paths such as `encode.dense0.weight`,
//! `NetworkDecl`s with their routes. Never: two networks merged because they have one name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::pending::What;
use super::value::Value;
use super::{At, Lowerer};
use crate::ast::{Item, Role};
use crate::error::Error;
use crate::graph::{Graph, Initial, Kind, NetworkDecl, NodeId, ParamDecl, Type};
use crate::link::LinkedItem;
use crate::size::Size;

/// Routes of one network that are kept.
const ROUTES: usize = 32;
/// Paths of callees that are looked at for routes.
const SEARCH: usize = 20_000;

/// How a parameter or a state may start.
pub(super) const INITIALISERS: &str = "zeros(), ones(), constant(0.1), normal_init(0.02), uniform_init(0.1), \
                                       fan_in(n), kaiming(), xavier() or orthogonal()";

/// No parameter has more elements.
const LARGEST: usize = 1 << 40;

/// The owners of a program's parameters.
#[derive(Clone, Default)]
pub(super) struct Networks {
    /// Network by name: its index in the graph, its id, its place.
    known: BTreeMap<String, (usize, String, String)>,
    owners: Vec<Owner>,
    /// The placeholder of each parameter, by path.
    params: BTreeMap<String, usize>,
}

/// One call of a network or a layer.
#[derive(Clone)]
struct Owner {
    /// `encode.dense0`.
    path: String,
    /// Index in `Graph::networks`.
    network: usize,
    /// Names that are taken.
    taken: BTreeSet<String>,
}

impl Owner {
    /// The first of these names that is not taken; it is, from now on.
    fn fresh(&mut self, mut names: impl Iterator<Item = String>) -> Option<String> {
        names.find(|name| self.taken.insert(name.clone()))
    }
}

impl<'a> Lowerer<'a> {
    /// The owner of what a call of a network makes: the same paths at every call. A network with sizes is one
    /// network for each choice of them, called `encode<8>`.
    pub(super) fn enter_network(&mut self, item: &'a LinkedItem, sizes: &[Size], at: At) -> Option<usize> {
        let name = &match sizes {
            [] => item.item.name().text.clone(),
            sizes => {
                let sizes: Vec<String> = sizes.iter().map(Size::to_string).collect();
                format!("{}<{}>", item.item.name().text, sizes.join(", "))
            }
        };
        let next = self.graph.networks.len();
        let network = match self.networks.known.get(name) {
            Some((network, id, _)) if *id == item.id => *network,
            Some((_, _, place)) => {
                let message = format!(
                    "two networks are called `{name}` here: {place} and {}. The parameters in a checkpoint are \
                     named after their network: give one another name",
                    item.place
                );
                return self.fail(at, message);
            }
            None => {
                self.networks.known.insert(name.clone(), (next, item.id.clone(), item.place.to_string()));
                let (name, id) = (name.clone(), item.id.clone());
                self.graph.networks.push(NetworkDecl { name, id, routes: vec![], trained: true });
                next
            }
        };
        Some(self.own(name.clone(), network))
    }

    /// The owner of what a call of a layer makes: fresh at every call.
    pub(super) fn enter_layer(&mut self, caller: usize, name: &str) -> Option<usize> {
        let owner = self.networks.owners.get_mut(caller)?;
        // Numbered in call order; a layer whose own name ends with a digit takes a number from another one.
        let instance = owner.fresh((0..).map(|count| format!("{name}{count}")))?;
        let (path, network) = (format!("{}.{instance}", owner.path), owner.network);
        Some(self.own(path, network))
    }

    fn own(&mut self, path: String, network: usize) -> usize {
        self.networks.owners.push(Owner { path, network, taken: BTreeSet::new() });
        self.networks.owners.len() - 1
    }

    /// The value of a `#[state]` function: a parameter that is called as the function is.
    pub(super) fn state_item(&mut self, value: Value<'a>, at: At) -> Option<Value<'a>> {
        if matches!(value, Value::Poison) {
            return None;
        }
        let owner = self.frames.last()?.owner?;
        let Some(initial) = self.as_initial(&value) else {
            let found = self.describe(&value);
            return self.fail(
                at,
                format!(
                    "the body of a state says how it starts, and this is {found}; write one of {INITIALISERS}"
                ),
            );
        };
        let Owner { path, network, .. } = self.networks.owners.get(owner)?;
        let (path, network) = (path.clone(), *network);
        Some(self.declare(
            ParamDecl { path, network, ty: Type::scalar(), initial, state: true },
            "state",
            at,
            None,
        ))
    }

    /// `param(initial)` or `state(initial)` under a `let` name, or where the function's value is.
    pub(super) fn parameter(
        &mut self,
        initial: Initial,
        word: &'static str,
        name: Option<&str>,
        at: At,
    ) -> Option<Value<'a>> {
        let owner = self.frames.last().and_then(|frame| frame.owner);
        let Some(owner) = owner.and_then(|owner| self.networks.owners.get_mut(owner)) else {
            // Without the line inside the layer: every parameter of it would say the same.
            let error = Error::new(self.anchor(at), self.homeless(word));
            self.errors.push(error);
            return None;
        };
        let state = word == "state";
        let name = name.unwrap_or(if state { "state" } else { "weight" });
        let numbered = (1..).map(|count| format!("{name}{count}"));
        let unique = owner.fresh([name.to_owned()].into_iter().chain(numbered))?;
        let (path, network) = (format!("{}.{unique}", owner.path), owner.network);
        Some(self.declare(
            ParamDecl { path, network, ty: Type::scalar(), initial, state },
            word,
            at,
            Some(name),
        ))
    }

    /// The placeholder of a parameter: that of the same path, or a new one.
    fn declare(&mut self, decl: ParamDecl, word: &'static str, at: At, name: Option<&str>) -> Value<'a> {
        if let Some(index) = self.networks.params.get(&decl.path) {
            return Value::Pending(*index);
        }
        let (param, path) = (self.graph.params.len(), decl.path.clone());
        self.graph.params.push(decl);
        let value = self.placeholder(What::Param(param), word, at, name);
        if let Value::Pending(index) = value {
            self.networks.params.insert(path, index);
        }
        value
    }

    /// The node of a parameter whose type is known now.
    pub(super) fn param_node(&mut self, param: usize, ty: Type) -> NodeId {
        if let Some(decl) = self.graph.params.get_mut(param) {
            decl.ty = ty.clone();
            let from = format!("`{}` has its shape from its first use", decl.path);
            let node = self.graph.push(Kind::Param(param), vec![], ty);
            self.shaped_by.insert(node, from.into());
            return node;
        }
        self.graph.push(Kind::Param(param), vec![], ty)
    }

    /// Why there is no owner here.
    fn homeless(&self, word: &str) -> String {
        let role = |item: &Item| match item {
            Item::Function(function) => Some(function.role),
            Item::Constant { .. } => None,
        };
        let innermost = self.frames.last().map_or("", |frame| frame.item.item.name().text.as_str());
        let around = self.frames.iter().rev().find(|frame| role(&frame.item.item) != Some(Role::Layer));
        let (name, what) = around.map_or(("this", "no network"), |frame| {
            let what = match role(&frame.item.item) {
                Some(Role::Loss) => "a loss",
                Some(Role::Optimizer) => "an optimizer",
                _ => "a function without parameters",
            };
            (frame.item.item.name().text.as_str(), what)
        });
        if let Some(turns) = self.long_loop {
            return format!(
                "this loop of {turns} turns is too long to unroll, so it has no parameters of its own: make them \
                 before it, or call a `#[network]`, whose parameters are the same in every turn"
            );
        }
        if innermost == name {
            return format!(
                "`{name}` is {what}, so `{word}` would have no owner: make it a `#[network]` or a `#[layer]`"
            );
        }
        format!(
            "`{innermost}` makes parameters, and `{name}` is {what}: nobody would own them. \
             Move the call into a `#[network]`, `#[encoder]` or `#[decoder]`"
        )
    }

    /// At the end: types of parameters, which networks are trained, and how the root reaches them.
    pub(super) fn finish_networks(&mut self) {
        for index in 0..self.graph.nodes.len() {
            if let Some(node) = self.graph.nodes.get(index)
                && let Kind::Param(param) = node.kind
                && let Some(decl) = self.graph.params.get_mut(param)
            {
                decl.ty = node.ty.clone();
            }
        }
        let mut wrong = Vec::new();
        // A size that only a run knows is in every parameter that it reaches, and often in another mistake: said once.
        let (mut run_time, has_errors) = (false, !self.errors.is_empty());
        for decl in &mut self.graph.params {
            if let Initial::FanIn(size) = &mut decl.initial {
                *size = self.sizes.resolve(size);
            }
            if decl.ty.elements().value().is_some_and(|n| n >= LARGEST) {
                wrong.push(format!("the parameter `{}` is {}, which no memory holds", decl.path, decl.ty));
            }
            if let Some(symbol) =
                decl.ty.features.iter().find(|s| s.value().is_none() && !self.sizes.is_open(s))
            {
                let again = std::mem::replace(&mut run_time, true);
                if again || has_errors {
                    continue;
                }
                wrong.push(format!(
                    "the parameter `{}` is {}, and {symbol} is only known when the program runs: \
                     give that axis a size in the arguments of this function",
                    decl.path, decl.ty
                ));
            }
        }
        let at = self.root_at();
        wrong.into_iter().for_each(|message| self.report(at, message));
        self.find_routes();
        self.mark_trained();
    }

    fn find_routes(&mut self) {
        let mut open = VecDeque::from([(self.linked.root.as_str(), Vec::new())]);
        for _ in 0..SEARCH {
            let Some((id, route)) = open.pop_front() else { break };
            let routed = self.graph.networks.iter_mut().filter(|n| n.id == id && n.routes.len() < ROUTES);
            routed.for_each(|network| network.routes.push(route.clone()));
            let callees = self.linked.items.get(id).map(|item| item.callees.as_slice()).unwrap_or_default();
            for (position, callee) in callees.iter().enumerate() {
                if open.len() == SEARCH {
                    break;
                }
                open.push_back((&callee.id, [route.as_slice(), &[position]].concat()));
            }
        }
    }

    fn mark_trained(&mut self) {
        let Some(Item::Function(root)) = self.linked.items.get(&self.linked.root).map(|item| &item.item)
        else {
            return;
        };
        let Some(trains) = &root.trains else { return };
        let mut trained: Vec<&str> = Vec::new();
        for path in trains {
            let at = At { span: path.span, line: 0 };
            match self.linked.resolve(&self.linked.root, &path.text) {
                Some(item) if self.called.contains(item.id.as_str()) => {
                    trained.push(&item.id);
                }
                Some(LinkedItem { item: Item::Function(f), .. }) if matches!(f.role, Role::Network(_)) => {
                    let message =
                        format!("`{}` never calls `{}`, so it cannot train it", root.name.text, path.text);
                    self.report(at, message);
                }
                _ => self.report(at, format!("`{}` is not a network: `trains(…)` lists networks", path.text)),
            }
        }
        // What a trained network calls is trained with it: a weight that it shares with another one.
        let mut reached = BTreeSet::new();
        while let Some(id) = trained.pop() {
            if reached.insert(id) {
                let item = self.linked.items.get(id);
                trained.extend(item.iter().flat_map(|item| &item.callees).map(|callee| callee.id.as_str()));
            }
        }
        for network in &mut self.graph.networks {
            network.trained = reached.contains(network.id.as_str());
        }
    }
}

/// The first network whose parameters are not the same in two graphs that both use it, and one that differs.
pub(super) fn differing<'g>(a: &'g Graph, b: &'g Graph) -> Option<(&'g str, &'g str)> {
    let of = |graph: &'g Graph, name: &str| -> Vec<&'g ParamDecl> {
        let owned =
            move |param: &&ParamDecl| graph.networks.get(param.network).is_some_and(|n| n.name == name);
        graph.params.iter().filter(owned).collect()
    };
    let shared =
        a.networks.iter().filter(|network| b.networks.iter().any(|other| other.name == network.name));
    shared.into_iter().find_map(|network| {
        let (left, right) = (of(a, &network.name), of(b, &network.name));
        let same = |l: &ParamDecl, r: &ParamDecl| l.path == r.path && l.ty == r.ty && l.initial == r.initial;
        let place = left.iter().zip(&right).position(|(l, r)| !same(l, r));
        let place = place.or((left.len() != right.len()).then(|| left.len().min(right.len())))?;
        let path = left.get(place).or(right.get(place))?;
        Some((network.name.as_str(), path.path.as_str()))
    })
}
