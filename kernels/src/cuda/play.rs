//! Actions on a device: done one after the other, or captured as one graph.
//!
//! In: actions, the modules of their kernels. Out: actions that were done, or a graph of them, in which those that touch nothing of each
//! other stand side by side. Never: a kernel of a module that is not kept.

use std::sync::Arc;

use super::actions::Kind;
pub use super::actions::{Action, Places, actions};
use super::arena::Arena;
use super::driver::{Call, Driver, Graph, Module, Shared};
use super::error::{Error, Result};
use super::order::waits;

/// Looks for all that an action needs, because little is allowed while a graph is captured.
fn prepare(device: &mut dyn Driver, action: &Action) -> Result<()> {
    match &action.kind {
        Kind::Calls(calls) => calls.iter().try_for_each(|call| device.prepare(call)),
        Kind::Multiply(_) | Kind::Inspect(..) => Ok(()),
    }
}

/// Does one action; what is inspected is for who may wait.
fn act(device: &mut dyn Driver, action: &Action) -> Result<()> {
    // SAFETY: `actions` has placed every pointer inside its range, and ranges inside their arena, which the caller keeps;
    // that kernels stay inside what they are given is what the emulator's tests are for.
    unsafe {
        match &action.kind {
            Kind::Calls(calls) => calls.iter().try_for_each(|call| device.launch(call)),
            Kind::Multiply(placed) => device.multiply(placed),
            Kind::Inspect(..) => Ok(()),
        }
    }
}

/// Does actions one after the other and shows what they inspect. `modules` are those of their kernels.
///
/// # Errors
/// Where the device fails.
pub fn play(
    arena: &Arena,
    modules: &[&Loaded],
    actions: &[Action],
    mut inspect: impl FnMut(usize, &[f32]),
) -> Result<()> {
    check(modules.iter().map(|module| module.module), actions)?;
    for action in actions {
        let mut device = arena.driver().lock();
        prepare(device.as_mut(), action)?;
        act(device.as_mut(), action)?;
        drop(device);
        if let Kind::Inspect(index, range) = &action.kind {
            let mut values = vec![0.0; range.elements];
            arena.read(*range, &mut values)?;
            inspect(*index, &values);
        }
    }
    Ok(())
}

/// Whether every kernel is of a module that is kept.
fn check(modules: impl Iterator<Item = Module> + Clone, actions: &[Action]) -> Result<()> {
    let kept = |call: &Call| modules.clone().any(|module| module == call.module);
    let unknown = actions.iter().find_map(|action| match &action.kind {
        Kind::Calls(calls) => calls.iter().find(|call| !kept(call)),
        Kind::Multiply(_) | Kind::Inspect(..) => None,
    });
    match unknown {
        Some(call) => Err(Error::Program { what: format!("the module of `{}` is not at hand", call.kernel) }),
        None => Ok(()),
    }
}

/// Actions as one graph, with all that they need.
#[derive(Debug)]
pub struct Captured {
    graph: Graph,
    arena: Arc<Arena>,
    _modules: Vec<Arc<Loaded>>,
}

impl Captured {
    /// Captures actions; what they inspect is left out. `modules` are those of their kernels.
    ///
    /// # Errors
    /// Where the device fails.
    pub fn new(arena: &Arc<Arena>, modules: &[Arc<Loaded>], actions: &[Action]) -> Result<Self> {
        check(modules.iter().map(|module| module.module), actions)?;
        let mut device = arena.driver().lock();
        let mut steps = Vec::new();
        for action in actions {
            prepare(device.as_mut(), action)?;
            steps.extend(action.launched().map(|touched| (action, touched)));
        }
        let waits = waits(steps.iter().map(|(_, touched)| *touched));
        device.begin()?;
        let done = steps.iter().zip(&waits).enumerate().try_for_each(|(i, ((action, _), waits))| {
            // What waits for nothing begins beside the second step.
            device.follow(if waits.is_empty() && i > 0 { &[0] } else { waits })?;
            act(device.as_mut(), action)
        });
        let graph = device.end();
        drop(device);
        match (done, graph) {
            (Err(error), Ok(graph)) => {
                arena.driver().lock().discard(graph);
                Err(error)
            }
            (Err(error), Err(_)) => Err(error),
            (Ok(()), graph) => {
                Ok(Captured { graph: graph?, arena: arena.clone(), _modules: modules.to_vec() })
            }
        }
    }

    /// Does them all.
    ///
    /// # Errors
    /// Where the device fails.
    pub fn run(&self) -> Result<()> {
        // SAFETY: it keeps the arena and the modules, and was captured of actions whose places lie in that arena.
        unsafe { self.arena.driver().lock().replay(self.graph) }
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        self.arena.driver().lock().discard(self.graph);
    }
}

/// A text that is loaded.
#[derive(Debug)]
pub struct Loaded {
    driver: Shared,
    module: Module,
}

impl Loaded {
    /// Compiles and loads a text.
    ///
    /// # Errors
    /// Where it does not compile, or the device refuses it.
    pub fn new(driver: &Shared, text: &str) -> Result<Self> {
        let module = driver.lock().load(text)?;
        Ok(Loaded { driver: driver.clone(), module })
    }

    /// Its number.
    pub fn module(&self) -> Module {
        self.module
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        self.driver.lock().unload(self.module);
    }
}

#[cfg(test)]
#[path = "play_tests.rs"]
mod tests;
