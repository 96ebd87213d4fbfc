//! Which argument goes where.
//!
//! In: the names of the parameters, and the arguments of a call, some with a name. Out: for each parameter the
//! position of its argument. Never: a value looked at.

use crate::ast::Argument;

/// What an item or a word takes.
pub(super) struct Parameter<'n> {
    pub(super) name: &'n str,
    pub(super) optional: bool,
}

/// The mistakes of a call: the argument that is wrong (none for the call as a whole), and what is wrong.
pub(super) type Mistake = (Option<usize>, String);

/// For each parameter the position of its argument; none for its default.
pub(super) fn arrange(
    params: &[Parameter<'_>],
    args: &[Option<&str>],
    callee: &str,
    signature: &str,
) -> Result<Vec<Option<usize>>, Vec<Mistake>> {
    let mut places: Vec<Option<usize>> = vec![None; params.len()];
    let mut mistakes = Vec::new();
    let takes = || format!("\nIt is declared as `{signature}`.");
    for (position, name) in args.iter().enumerate() {
        let param = match name {
            None => position,
            Some(name) => match params.iter().position(|p| p.name == *name) {
                Some(param) => param,
                None => {
                    let text = format!("`{callee}` has no argument `{name}`.{}", takes());
                    mistakes.push((Some(position), text));
                    continue;
                }
            },
        };
        match places.get_mut(param) {
            // One too many is said once, however many there are.
            None if position > params.len() => {}
            None => {
                let count = match params.len() {
                    0 => "no argument".to_owned(),
                    1 => "one argument".to_owned(),
                    n => format!("{n} arguments"),
                };
                let text = format!("`{callee}` takes {count}, and is given {}.{}", args.len(), takes());
                mistakes.push((Some(position), text));
            }
            Some(Some(_)) => {
                let name = params.get(param).map_or("", |p| p.name);
                mistakes.push((Some(position), format!("`{callee}` is given `{name}` twice.{}", takes())));
            }
            Some(place) => *place = Some(position),
        }
    }
    // A wrong name is the missing one, most often: said once.
    if mistakes.is_empty() {
        let missing = params.iter().zip(&places).filter(|(p, place)| place.is_none() && !p.optional);
        let missing: Vec<_> = missing.map(|(p, _)| format!("`{}`", p.name)).collect();
        if !missing.is_empty() {
            mistakes.push((None, format!("`{callee}` also needs {}.{}", missing.join(" and "), takes())));
        }
    }
    if mistakes.is_empty() { Ok(places) } else { Err(mistakes) }
}

/// The names of written arguments.
pub(super) fn names(args: &[Argument]) -> Vec<Option<&str>> {
    args.iter().map(|arg| arg.name.as_ref().map(|name| name.text.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &[Option<&str>]) -> Result<Vec<Option<usize>>, String> {
        let params = ["x", "out", "bias"].map(|name| Parameter { name, optional: name == "bias" });
        arrange(&params, args, "f", "f(…)")
            .map_err(|m| m.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn names_find_their_place_and_mistakes_are_told_apart() {
        assert_eq!(check(&[None, Some("bias"), Some("out")]), Ok(vec![Some(0), Some(2), Some(1)]));
        assert_eq!(check(&[None, None]), Ok(vec![Some(0), Some(1), None]));
        assert!(check(&[None]).unwrap_err().contains("also needs `out`"));
        assert!(check(&[None, None, Some("x")]).unwrap_err().contains("given `x` twice"));
        assert!(check(&[None, Some("outs")]).unwrap_err().contains("no argument `outs`"));
        assert!(check(&[None, None, None, None]).unwrap_err().contains("takes 3 arguments"));
    }
}
