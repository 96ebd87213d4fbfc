//! Loops: what nobody needs goes, the step is simplified, and what became independent of the carries leaves it.
//!
//! In: a scan over simple arguments, and which of its results live. Out: simple results. Never: a step in which
//! something stays that `scan::build` would put outside; it makes every loop anew.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::Simplifier;
use crate::graph::*;
use crate::scan::{Carry, Recurrence, Sequence, build, place};

/// The loops of a graph, each with its arguments there and the results that live.
#[derive(Default)]
pub(super) struct Needs(Vec<(Rc<Scan>, Vec<NodeId>, BTreeSet<ScanResult>)>);

/// The simple loops so far: what each was made of, and its results.
pub(super) type Simple = Vec<(Rc<Scan>, Vec<NodeId>, BTreeMap<ScanResult, NodeId>)>;

impl Needs {
    /// Of the live nodes.
    pub fn of(graph: &Graph, live: &[bool]) -> Self {
        let mut needs = Needs::default();
        for id in graph.ids().filter(|id| live[id.index()]) {
            let node = graph.node(id);
            let Kind::Scan { scan, result } = &node.kind else { continue };
            match needs.0.iter_mut().find(|(other, args, _)| *args == node.args && other == scan) {
                Some((_, _, results)) => drop(results.insert(*result)),
                None => needs.0.push((scan.clone(), node.args.clone(), BTreeSet::from([*result]))),
            }
        }
        needs
    }

    /// Of one loop.
    pub fn get(&self, scan: &Rc<Scan>, args: &[NodeId]) -> Option<&BTreeSet<ScanResult>> {
        self.0.iter().find(|(other, of, _)| of == args && other == scan).map(|(_, _, results)| results)
    }
}

/// Which carries the needed results depend on, and which nodes of the body are needed.
fn live_parts(scan: &Scan, needed: &BTreeSet<ScanResult>) -> (Vec<bool>, Vec<bool>) {
    let body = &scan.body;
    let mut carries = vec![false; scan.carries];
    let mut nodes = vec![false; body.nodes.len()];
    for result in needed {
        match *result {
            ScanResult::Last(carry) | ScanResult::Previous(carry) => carries[carry] = true,
            ScanResult::Stacked(output) if output < scan.carries => carries[output] = true,
            ScanResult::Stacked(output) => nodes[body.outputs[output].node.index()] = true,
        }
    }
    loop {
        for carry in (0..scan.carries).filter(|carry| carries[*carry]) {
            nodes[body.outputs[carry].node.index()] = true;
        }
        let mut more = false;
        for id in body.ids().rev() {
            if !nodes[id.index()] {
                continue;
            }
            body.node(id).args.iter().for_each(|arg| nodes[arg.index()] = true);
            if let Kind::Input(index) = body.node(id).kind
                && index < scan.carries
            {
                more |= !std::mem::replace(&mut carries[index], true);
            }
        }
        if !more {
            return (carries, nodes);
        }
    }
}

impl Simplifier {
    /// The needed results of a scan.
    pub(super) fn scan(
        &mut self,
        scan: &Rc<Scan>,
        args: &[NodeId],
        needed: &BTreeSet<ScanResult>,
    ) -> BTreeMap<ScanResult, NodeId> {
        let known = self.scans.iter().find(|(other, of, results)| {
            of == args && other == scan && needed.iter().all(|result| results.contains_key(result))
        });
        if let Some((_, _, results)) = known {
            return results.clone();
        }
        let results = self.rebuilt(scan, args, needed);
        self.scans.push((scan.clone(), args.to_vec(), results.clone()));
        results
    }

    fn rebuilt(
        &mut self,
        scan: &Scan,
        args: &[NodeId],
        needed: &BTreeSet<ScanResult>,
    ) -> BTreeMap<ScanResult, NodeId> {
        let (live_carries, live_nodes) = live_parts(scan, needed);
        let given = scan.carries + scan.sequences;
        let first = NodeId(self.graph.nodes.len() as u32);
        let inputs: Vec<NodeId> = (0..args.len())
            .map(|at| if at < given { place(&mut self.graph, &scan.body.inputs[at].ty) } else { args[at] })
            .collect();
        let needs = Needs::of(&scan.body, &live_nodes);
        let outer = self.graph.origin.clone();
        let mut map: Vec<Option<NodeId>> = Vec::with_capacity(live_nodes.len());
        for id in scan.body.ids() {
            let node = scan.body.node(id);
            let of = |arg: &NodeId| map[arg.index()];
            let args: Option<Vec<NodeId>> = node.args.iter().map(of).collect();
            self.graph.origin = node.origin.clone();
            map.push(match (&node.kind, args) {
                (Kind::Input(index), _) => Some(inputs[*index]),
                (Kind::Scan { scan, result }, Some(args)) if live_nodes[id.index()] => {
                    let all = needs.get(scan, &node.args);
                    all.map(|all| self.scan(scan, &args, all)[result])
                }
                (kind, Some(args)) if live_nodes[id.index()] => {
                    Some(self.make(kind.clone(), args, node.ty.clone()))
                }
                _ => None,
            });
        }
        self.graph.origin = outer;
        let output = |at: usize| map[scan.body.outputs[at].node.index()];
        let mut carries = Vec::new();
        let mut kept = Vec::new();
        for at in (0..scan.carries).filter(|at| live_carries[*at]) {
            if let Some(next) = output(at) {
                carries.push(Carry { place: inputs[at], init: args[at], next });
                kept.push(at);
            }
        }
        let stacks: Vec<usize> = (scan.carries..scan.body.outputs.len())
            .filter(|at| needed.contains(&ScanResult::Stacked(*at)))
            .collect();
        let recurrence = Recurrence {
            carries,
            sequences: (scan.carries..given)
                .map(|at| Sequence { place: inputs[at], whole: args[at] })
                .collect(),
            outputs: stacks.iter().filter_map(|at| output(*at)).collect(),
            length: scan.length.clone(),
            reverse: scan.reverse,
            first,
            fixed: Vec::new(),
        };
        let made = build(&mut self.graph, &recurrence);
        let mut results = BTreeMap::new();
        for (new, old) in kept.iter().enumerate() {
            results.insert(ScanResult::Last(*old), made.last[new]);
            results.insert(ScanResult::Previous(*old), made.previous[new]);
            results.insert(ScanResult::Stacked(*old), made.stacked[new]);
        }
        for (new, old) in stacks.iter().enumerate() {
            results.insert(ScanResult::Stacked(*old), made.stacked[kept.len() + new]);
        }
        results
    }
}
