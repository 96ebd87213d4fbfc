//! Functions that reach each other, found before rustc waits for both in vain.
//!
//! In: every item as it is expanded, with the names it calls. Out: the names of a circle that it closes.
//! Never: a circle that is not one. A name alone says little, so only items at the left margin of one file
//! count: rustfmt puts there what stands in one module, where a name cannot mean two items. Of other circles
//! rustc says that it cannot find one of their macros.

use std::collections::BTreeMap;
use std::sync::Mutex;

/// What items of a file call: by package, file and name.
static CALLS: Mutex<BTreeMap<(String, String), Vec<String>>> = Mutex::new(BTreeMap::new());

/// Notes that `name` calls `callees`. The circle from `name` back to itself, if that closes one.
pub(super) fn circle(file: &str, name: &str, callees: Vec<String>) -> Option<Vec<String>> {
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let place = format!("{package} {} {file}", std::env::var("CARGO_CRATE_NAME").unwrap_or_default());
    let mut calls = CALLS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    calls.insert((place.clone(), name.to_owned()), callees);
    let mut trail: Vec<(&str, usize)> = vec![(name, 0)];
    let mut seen = vec![name];
    while let Some((at, next)) = trail.last_mut() {
        let key = (place.clone(), (*at).to_owned());
        let Some(callee) = calls.get(&key).and_then(|callees| callees.get(*next)) else {
            trail.pop();
            continue;
        };
        *next += 1;
        if callee == name && trail.len() > 1 {
            return Some(trail.iter().map(|(name, _)| (*name).to_owned()).collect());
        }
        if !seen.contains(&callee.as_str()) {
            seen.push(callee);
            trail.push((callee, 0));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::circle;

    #[test]
    fn the_item_that_closes_a_circle_is_told() {
        let call = |name: &str, callees: &[&str]| {
            circle("net.rs", name, callees.iter().map(|c| c.to_string()).collect())
        };
        assert_eq!(call("f", &["dense", "g"]), None);
        assert_eq!(call("h", &["f"]), None);
        assert_eq!(call("g", &["dense", "h"]), Some(vec!["g".into(), "h".into(), "f".into()]));
        assert_eq!(circle("other.rs", "g", vec!["h".into()]), None);
    }
}
