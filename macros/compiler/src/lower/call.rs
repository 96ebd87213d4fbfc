//! Calls: of annotated functions, of closures, of functions that came as arguments.
//!
//! In: a callee and its arguments as written. Out: the arguments in order, handed to `inline`. Never: a type
//! checked; that is done where the body is entered.

use super::arguments::{Parameter, arrange, names};
use super::broadcast::Operand;
use super::expr::{Hint, Want};
use super::scope::Frame;
use super::value::{Closure, Function, Value};
use super::written::{counted, joined, signature};
use super::{At, Lowerer, words};
use crate::ast::{self, Argument, Item, Path, SizeExpr, TypeExpr};
use crate::link::LinkedItem;

impl<'a> Lowerer<'a> {
    /// A call as written.
    pub(super) fn call(
        &mut self,
        callee: &'a Path,
        sizes: &'a [SizeExpr],
        args: &'a [Argument],
        at: At,
        want: &Want<'a>,
    ) -> Option<Value<'a>> {
        let value = self.path_value(callee, at)?;
        match self.at_sizes(value, callee, sizes, at)? {
            Value::Function(Function::Word(word)) => words::call(self, word, args, at, want),
            Value::Function(Function::Item(id, sizes)) => {
                let item = self.linked.items.get(id)?;
                let Item::Function(function) = &item.item else { return None };
                let places = self.arranged(function, args, at);
                // Arguments are looked at even where the call is wrong: they may have mistakes of their own.
                let mut given = Vec::with_capacity(args.len());
                for (position, arg) in args.iter().enumerate() {
                    let param =
                        places.as_ref().and_then(|p| p.iter().position(|place| *place == Some(position)));
                    let hint =
                        param.and_then(|p| function.params.get(p)).map(|p| self.argument_hint(item, &p.ty));
                    let value = self.eval(&arg.value, &Want::firm(hint.unwrap_or_default()));
                    given.push(Operand::of(value, &arg.value));
                }
                let given = places?.into_iter().map(|place| given.get(place?).cloned()).collect();
                self.inline(item, function, &sizes, given, at, want)
            }
            Value::Function(Function::Closure(closure)) => {
                let mut given = Vec::new();
                for arg in args {
                    if let Some(name) = &arg.name {
                        self.report(At { span: name.span, ..at }, "a closure's arguments have no names");
                    }
                    let value = self.eval(&arg.value, &Want::default());
                    given.push(Operand::of(value, &arg.value));
                }
                self.enter_closure(&closure, given, at, want)
            }
            Value::Poison => None,
            other => {
                let (name, found) = (&callee.text, self.describe(&other));
                let hidden =
                    if crate::words::is_word(name) { "; this local name hides the word" } else { "" };
                self.fail(at, format!("`{name}` is {found}, and cannot be called{hidden}"))
            }
        }
    }

    /// A function at the sizes in `f::<8>`.
    pub(super) fn at_sizes(
        &mut self,
        value: Value<'a>,
        path: &Path,
        written: &'a [SizeExpr],
        at: At,
    ) -> Option<Value<'a>> {
        if written.is_empty() {
            return Some(value);
        }
        let name = &path.text;
        let id = match &value {
            Value::Poison => return None,
            Value::Function(Function::Item(id, known)) if known.is_empty() => *id,
            Value::Function(Function::Item(..)) => {
                return self.fail(at, format!("`{name}` has its sizes already"));
            }
            _ => {
                return self.fail(
                    at,
                    format!("only an annotated function has sizes, so `{name}::<…>` has no meaning"),
                );
            }
        };
        let Some(Item::Function(function)) = self.linked.items.get(id).map(|item| &item.item) else {
            return None;
        };
        if function.generics.len() != written.len() {
            let generics = joined(function.generics.iter().map(|g| format!("const {}: usize", g.name.text)));
            let declared =
                if generics.is_empty() { "no sizes".to_owned() } else { format!("`<{generics}>`") };
            let place = &self.linked.items.get(id)?.place;
            return self.fail(
                at,
                format!(
                    "`{name}` is declared with {declared} at {place}, and is given {} here",
                    written.len()
                ),
            );
        }
        let mut frame = self.frames.last()?.clone();
        let mut sizes = Vec::new();
        for expr in written {
            match self.size_of(&mut frame, expr) {
                Ok(size) => sizes.push(size),
                Err(why) if why.is_empty() => return None,
                Err(why) => return self.fail(at, why),
            }
        }
        self.frames.last_mut()?.letters = frame.letters;
        Some(Value::Function(Function::Item(id, sizes.into())))
    }

    /// Calls a function that is a value, as `grad` does.
    pub(super) fn apply(
        &mut self,
        function: &Function<'a>,
        given: Vec<Operand<'a>>,
        at: At,
    ) -> Option<Value<'a>> {
        match function {
            Function::Closure(closure) => self.enter_closure(closure, given, at, &Want::default()),
            Function::Word(word) => words::apply(self, word, given, at),
            Function::Item(id, sizes) => {
                let item = self.linked.items.get(*id)?;
                let Item::Function(callee) = &item.item else { return None };
                let params = parameters(callee);
                let names = vec![None; given.len()];
                match arrange(&params, &names, &callee.name.text, &signature(callee)) {
                    Ok(places) => {
                        let given = places.into_iter().map(|place| given.get(place?).cloned()).collect();
                        self.inline(item, callee, sizes, given, at, &Want::default())
                    }
                    Err(mistakes) => {
                        mistakes.into_iter().for_each(|(_, text)| self.report(at, text));
                        None
                    }
                }
            }
        }
    }

    fn path_value(&mut self, callee: &'a Path, at: At) -> Option<Value<'a>> {
        match callee.text.as_str() {
            "rows" => self.fail(at, "`rows` is not called: it stands in `axis = rows`"),
            _ => self.path(callee, at),
        }
    }

    /// Which argument is whose.
    fn arranged(
        &mut self,
        function: &ast::Function,
        args: &[Argument],
        at: At,
    ) -> Option<Vec<Option<usize>>> {
        let mistakes =
            match arrange(&parameters(function), &names(args), &function.name.text, &signature(function)) {
                Ok(places) => return Some(places),
                Err(mistakes) => mistakes,
            };
        for (position, text) in mistakes {
            let arg = position.and_then(|position| args.get(position));
            let span = arg.map(|arg| arg.name.as_ref().map_or(arg.value.span, |name| name.span));
            self.report(At { span: span.unwrap_or(at.span), ..at }, text);
        }
        None
    }

    /// The type that an argument will have to have, where the declaration alone says so.
    fn argument_hint(&mut self, item: &'a LinkedItem, declared: &'a TypeExpr) -> Hint {
        if !matches!(declared, TypeExpr::Tensor { .. } | TypeExpr::Scalar(_)) {
            return Hint::None;
        }
        let mut frame = Frame::new(item, proc_macro2::Span::call_site());
        match self.declared_type(&mut frame, declared) {
            Ok(Some(ty)) if frame.letters.sizes.is_empty() => Hint::Type(ty),
            _ => Hint::None,
        }
    }

    fn enter_closure(
        &mut self,
        closure: &Closure<'a>,
        given: Vec<Operand<'a>>,
        at: At,
        want: &Want<'a>,
    ) -> Option<Value<'a>> {
        if closure.params.len() != given.len() {
            let (takes, found) = (closure.params.len(), given.len());
            let takes = counted(takes, "argument", "arguments");
            return self.fail(at, format!("this closure takes {takes}, and is given {found}"));
        }
        let mut frame = closure.frame.clone();
        frame.anchor = self.anchor(at);
        frame.around = frame.scopes.len();
        frame.scopes.push(Default::default());
        self.frames.push(frame);
        for (pattern, given) in closure.params.iter().zip(given) {
            self.bind(pattern, given.value, given.at);
        }
        let value = self.eval(closure.body, &Want::hint(want.hint.clone()));
        self.frames.pop();
        Some(value)
    }
}

fn parameters(function: &ast::Function) -> Vec<Parameter<'_>> {
    function.params.iter().map(|p| Parameter { name: &p.name.text, optional: p.default.is_some() }).collect()
}
