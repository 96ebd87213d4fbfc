//! Expressions.
//!
//! In: `syn::Expr`. Out: `ast::Expr`, or for each construct that is not Diabolo what to write instead.
//! Never: a name looked up.

use proc_macro2::Span;
use syn::spanned::Spanned as _;

use super::Parser;
use super::statement::nothing;
use crate::ast::{Argument, Block, Expr, ExprKind, Path};

impl Parser {
    /// An expression at a place.
    pub(super) fn at(&self, written: Span, kind: ExprKind) -> Expr {
        Expr { kind, span: self.span(written), line: written.start().line }
    }

    /// An expression.
    pub(super) fn expr(&mut self, expr: &syn::Expr) -> Expr {
        match expr {
            syn::Expr::Lit(literal) => self.literal(&literal.lit),
            syn::Expr::Path(path) if path.qself.is_none() => {
                let written = last_span(&path.path);
                let (path, sizes) = self.sized_path(&path.path);
                let kind = match sizes.is_empty() {
                    true => ExprKind::Path(path),
                    false => ExprKind::Sized(path, sizes),
                };
                self.at(written, kind)
            }
            syn::Expr::Call(call) => self.call(call),
            syn::Expr::Binary(binary) => {
                let written = binary.op.span();
                let Some(operator) = binary_operator(&binary.op) else {
                    return self.refuse(expr);
                };
                let (left, right) = (self.expr(&binary.left), self.expr(&binary.right));
                self.at(written, ExprKind::Binary(operator, Box::new(left), Box::new(right)))
            }
            syn::Expr::Unary(unary) => {
                let (operator, written) = match &unary.op {
                    syn::UnOp::Neg(t) => ("-", t.span),
                    syn::UnOp::Not(t) => ("!", t.span),
                    _ => return self.refuse(expr),
                };
                let value = self.expr(&unary.expr);
                self.at(written, ExprKind::Unary(operator, Box::new(value)))
            }
            syn::Expr::Paren(inner) => self.expr(&inner.expr),
            syn::Expr::Group(inner) => self.expr(&inner.expr),
            syn::Expr::Tuple(tuple) if !tuple.elems.is_empty() => {
                let elements = tuple.elems.iter().map(|e| self.expr(e)).collect();
                self.at(tuple.paren_token.span.join(), ExprKind::Tuple(elements))
            }
            syn::Expr::Block(block) if block.label.is_none() => {
                let written = block.block.brace_token.span.join();
                let block = self.block(&block.block);
                self.at(written, ExprKind::Block(block))
            }
            syn::Expr::If(branch) => self.branch(branch),
            syn::Expr::Closure(closure) => self.closure(closure),
            _ => self.refuse(expr),
        }
    }

    fn literal(&mut self, literal: &syn::Lit) -> Expr {
        let written = literal.span();
        let kind = match literal {
            syn::Lit::Int(number) => {
                let is_float = matches!(number.suffix(), "f32" | "f64");
                // Hexadecimal and the like first; what does not fit 128 bits is still a number.
                match number.base10_digits().parse::<f64>() {
                    Ok(value) => ExprKind::Number(value, !is_float),
                    Err(_) => self.placeholder(written, "this number is too large"),
                }
            }
            syn::Lit::Float(number) => match number.base10_digits().parse::<f64>() {
                Ok(value) if value.is_finite() => ExprKind::Number(value, false),
                _ => self.placeholder(written, "this number is too large"),
            },
            syn::Lit::Str(text) => ExprKind::Text(text.value()),
            syn::Lit::Bool(flag) => ExprKind::Flag(flag.value),
            _ => self.placeholder(written, "a literal of Diabolo is a number, `true`, `false` or a \"text\""),
        };
        self.at(written, kind)
    }

    fn placeholder(&mut self, written: Span, message: &str) -> ExprKind {
        self.error(written, message);
        nothing()
    }

    fn call(&mut self, call: &syn::ExprCall) -> Expr {
        let mut function = &*call.func;
        while let syn::Expr::Paren(syn::ExprParen { expr: inner, .. })
        | syn::Expr::Group(syn::ExprGroup { expr: inner, .. }) = function
        {
            function = inner;
        }
        let syn::Expr::Path(syn::ExprPath { qself: None, path, .. }) = function else {
            let message = match function {
                syn::Expr::Closure(_) => {
                    "a closure is called by the word it is given to, as in `grad(|w| …, x)`"
                }
                _ => "only a function that has a name can be called",
            };
            let kind = self.placeholder(function.span(), message);
            return self.at(function.span(), kind);
        };
        let written = last_span(path);
        let (callee, sizes) = self.sized_path(path);
        let args = self.arguments(&callee, call);
        self.at(written, ExprKind::Call { callee, sizes, args })
    }

    fn arguments(&mut self, callee: &Path, call: &syn::ExprCall) -> Vec<Argument> {
        let mut args: Vec<Argument> = Vec::new();
        for argument in &call.args {
            let name = match argument {
                syn::Expr::Assign(assign) => match &*assign.left {
                    syn::Expr::Path(path) if path.path.get_ident().is_some() => path.path.get_ident(),
                    other => {
                        self.error(other.span(), "the name of an argument is one word, as in `axis = 1`");
                        continue;
                    }
                },
                _ => None,
            };
            match (name, argument) {
                (Some(name), syn::Expr::Assign(assign)) => {
                    let name = self.name(name);
                    if args.iter().any(|a| a.name.as_ref().is_some_and(|n| n.text == name.text)) {
                        let message = format!("`{}` is given `{}` twice", callee.text, name.text);
                        self.error(assign.left.span(), message);
                    }
                    args.push(Argument { name: Some(name), value: self.expr(&assign.right) });
                }
                _ => {
                    if args.last().is_some_and(|a| a.name.is_some()) {
                        self.error(argument.span(), "arguments with a name come last");
                    }
                    args.push(Argument { name: None, value: self.expr(argument) });
                }
            }
        }
        args
    }

    fn branch(&mut self, branch: &syn::ExprIf) -> Expr {
        let written = branch.if_token.span;
        let condition = match &*branch.cond {
            syn::Expr::Let(inner) => {
                let kind = self.placeholder(inner.let_token.span, "`if let` is not part of Diabolo");
                self.at(written, kind)
            }
            condition => self.expr(condition),
        };
        let then = self.block(&branch.then_branch);
        let otherwise = branch.else_branch.as_ref().map(|(_, value)| match &**value {
            syn::Expr::Block(block) => self.block(&block.block),
            other => {
                let value = self.expr(other);
                Block { span: value.span, statements: Vec::new(), value: Some(Box::new(value)) }
            }
        });
        self.at(written, ExprKind::If(Box::new(condition), then, otherwise))
    }

    fn closure(&mut self, closure: &syn::ExprClosure) -> Expr {
        let written = closure.inputs_begin.span;
        if let syn::ReturnType::Type(_, ty) = &closure.output {
            self.error(ty.span(), "the type of a closure is found from its use: leave this one out");
        }
        if let Some(token) = &closure.capture {
            self.error(token.span, "a closure needs no `move`");
        }
        let inputs = closure.inputs.iter().map(|p| self.pattern(p)).collect();
        let body = self.expr(&closure.body);
        self.at(written, ExprKind::Closure(inputs, Box::new(body)))
    }

    pub(super) fn refuse_macro(&mut self, mac: &syn::Macro) {
        let name = super::path_text(&mac.path);
        let message = match name.as_str() {
            "println" | "print" | "eprintln" | "dbg" => {
                format!(
                    "`{name}!` is not part of Diabolo; `inspect(\"h\", h)` prints a value without changing it"
                )
            }
            _ => format!("macros such as `{name}!` are not part of Diabolo"),
        };
        self.error(last_span(&mac.path), message);
    }

    /// Says what to write instead of a construct that is not Diabolo.
    fn refuse(&mut self, expr: &syn::Expr) -> Expr {
        let written = match expr {
            syn::Expr::MethodCall(call) => call.method.span(),
            syn::Expr::Field(field) => field.member.span(),
            syn::Expr::Index(index) => index.bracket_token.span.join(),
            syn::Expr::Binary(binary) => binary.op.span(),
            syn::Expr::Cast(cast) => cast.as_token.span,
            syn::Expr::Try(question) => question.question_token.span,
            syn::Expr::Await(dot) => dot.await_token.span,
            syn::Expr::Assign(assign) => assign.eq_token.span,
            other => other.span(),
        };
        if let syn::Expr::Macro(mac) = expr {
            self.refuse_macro(&mac.mac);
        } else {
            let message = advice(expr);
            self.error(written, message);
        }
        self.at(written, nothing())
    }
}

/// The last name of a path.
fn last_span(path: &syn::Path) -> Span {
    path.segments.last().map_or_else(Span::call_site, |s| s.ident.span())
}

/// What to write instead.
fn advice(expr: &syn::Expr) -> String {
    use syn::Expr as E;
    let not = |what: &str, instead: &str| format!("{what} not part of Diabolo{instead}");
    match expr {
        E::MethodCall(call) => {
            let name = &call.method;
            let more = if call.args.is_empty() { "" } else { ", …" };
            format!("`.{name}(…)`: Diabolo has functions and operators, no methods; write `{name}(x{more})`")
        }
        E::Match(_) => not("`match` is", "; `if` chooses by a compile-time flag"),
        E::While(_) | E::Loop(_) => not("`while` and `loop` are", "; `for i in 0..4 { … }` repeats"),
        E::ForLoop(_) => "`for` has no value; let it change a name made by `let mut`".into(),
        E::Return(_) => not("`return` is", ": the last expression is the value"),
        E::Break(_) | E::Continue(_) => not("`break` and `continue` are", ": every turn of a `for` runs"),
        E::Reference(_) | E::RawAddr(_) => "a value needs no `&`: write its name alone".into(),
        E::Unary(_) => "a value needs no `*`: write its name alone".into(),
        E::Index(_) => not("indexing is", "; `slice` takes a part of a tensor"),
        E::Field(_) => not("fields are", "; take a tuple apart with `let (a, b) = …;`"),
        E::Cast(_) => "a number needs no `as`: sizes and numbers are converted where they meet".into(),
        E::Array(_) | E::Repeat(_) => not("arrays are", "; several values are a tuple `(a, b)`"),
        E::Struct(s) => format!(
            "a function is called with parentheses here, and hyperparameters by name: `{}(x, name = 0.2)`",
            super::path_text(&s.path)
        ),
        E::Range(_) => "a range stands only after `in` of a `for`".into(),
        E::Assign(_) => "an assignment has no value; it stands on a line of its own".into(),
        E::Binary(_) => not("this operator is", "; there are + - * / % and, between numbers, comparisons"),
        E::Unsafe(_) => not("`unsafe` is", ""),
        E::Try(_) => not("`?` is", ": nothing in a function of Diabolo can fail"),
        E::Async(_) | E::Await(_) => not("`async` is", ""),
        E::Tuple(_) => "`()` is not a value of Diabolo".into(),
        E::Infer(_) => "`_` is not a value".into(),
        _ => not("this expression is", ""),
    }
}

fn binary_operator(operator: &syn::BinOp) -> Option<&'static str> {
    use syn::BinOp::*;
    Some(match operator {
        Add(_) => "+",
        Sub(_) => "-",
        Mul(_) => "*",
        Div(_) => "/",
        Rem(_) => "%",
        Eq(_) => "==",
        Ne(_) => "!=",
        Lt(_) => "<",
        Le(_) => "<=",
        Gt(_) => ">",
        Ge(_) => ">=",
        And(_) => "&&",
        Or(_) => "||",
        _ => return None,
    })
}

/// The operator in `+=` and its like.
pub(super) fn compound(operator: &syn::BinOp) -> Option<&'static str> {
    use syn::BinOp::*;
    Some(match operator {
        AddAssign(_) => "+",
        SubAssign(_) => "-",
        MulAssign(_) => "*",
        DivAssign(_) => "/",
        _ => return None,
    })
}
