//! The syntax of Diabolo: what an annotated item says, before any name or shape is known.
//!
//! In: built by `parse` from ordinary Rust syntax. Out: read by `link` (which names are free) and `lower`.
//! Never: types of values, resolved names. Every expression keeps the span it was written at.

use proc_macro2::Span;

/// What an annotation makes of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Owns its parameters; `#[encoder]` and `#[decoder]` are aliases that record a role.
    Network(NetworkRole),
    /// Makes fresh parameters where it is called.
    Layer,
    /// Has no parameters.
    Function,
    /// A value without gradient that a step replaces; its body says how it starts.
    State,
    /// A training root.
    Loss,
    /// An element-wise update of (weight, gradient, moments…).
    Optimizer,
}

/// What a network is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkRole {
    /// `#[network]`.
    Plain,
    /// `#[encoder]`.
    Encoder,
    /// `#[decoder]`.
    Decoder,
}

/// An annotated item.
#[derive(Clone, Debug)]
pub enum Item {
    /// `#[encoder] fn …` and the like.
    Function(Function),
    /// `#[constant] const NAME: usize = 32;`
    Constant {
        /// Its name.
        name: Name,
        /// Whether it is a size (`usize`) or a number (`f32`, `f64`).
        is_size: bool,
        /// Its value: numbers, arithmetic and other constants.
        value: Expr,
    },
}

impl Item {
    /// Its name.
    pub fn name(&self) -> &Name {
        match self {
            Item::Function(function) => &function.name,
            Item::Constant { name, .. } => name,
        }
    }
}

/// An annotated function.
#[derive(Clone, Debug)]
pub struct Function {
    /// What the annotation makes of it.
    pub role: Role,
    /// Its name.
    pub name: Name,
    /// Const generics: `<const K: usize>`.
    pub generics: Vec<Generic>,
    /// Its arguments.
    pub params: Vec<Param>,
    /// What it returns.
    pub output: TypeExpr,
    /// Its body.
    pub body: Block,
    /// The networks that a loss trains; `None` for all.
    pub trains: Option<Vec<Path>>,
    /// `#[function(backward = g)]`.
    pub backward: Option<Path>,
}

/// A size that a call or the user's Rust chooses.
#[derive(Clone, Debug)]
pub struct Generic {
    /// Its letter.
    pub name: Name,
    /// `#[values(8, 16, 32)]`: the sizes at which the function runs by itself; none for a template.
    pub values: Vec<usize>,
}

/// An identifier and where it stands.
#[derive(Clone, Debug)]
pub struct Name {
    /// The text.
    pub text: String,
    /// Where it was written.
    pub span: Span,
}

/// A path such as `dense` or `nn::dense`: the text without spaces.
pub type Path = Name;

/// An argument of a function.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// `#[default(0.1)]`: a constant expression.
    pub default: Option<Expr>,
}

/// A type as written.
#[derive(Clone, Debug)]
pub enum TypeExpr {
    /// `Tensor<B, 784>`, `Tensor<Rows<B, 50>, 20>`, `Tensor<16, 64>`; `Index<B, 49>`, `Index`.
    Tensor {
        /// Whether it is `Index<…>`: positions, not numbers.
        index: bool,
        /// `None` without rows; `Some([])` for `B`; `Some([50])` for `Rows<B, 50>`.
        rows: Option<Vec<SizeExpr>>,
        /// The feature axes.
        features: Vec<FeatureExpr>,
        /// Where.
        span: Span,
    },
    /// `Scalar`.
    Scalar(Span),
    /// A tuple of types.
    Tuple(Vec<TypeExpr>, Span),
    /// `f32` or `f64`: a number; in a root, a hyperparameter.
    Number(Span),
    /// `usize`: a compile-time number.
    Size(Span),
    /// `bool`: a compile-time flag.
    Flag(Span),
    /// `Initial`: how a parameter starts, as in `init = kaiming()`.
    Initial(Span),
    /// `Function`, or `impl Fn(…)`: a function argument.
    Function(Span),
    /// `Weight`, `Gradient`, `Moment`, `Step`: arguments of an optimizer.
    Slot(Name),
}

/// One entry of the feature list.
#[derive(Clone, Debug)]
pub enum FeatureExpr {
    /// `_`: any feature axes, none included. At most once a type.
    Any(Span),
    /// One axis.
    Size(SizeExpr),
}

/// A size as written: `784`, `K`, `hidden`, `LATENT`, `{2 * K}`.
#[derive(Clone, Debug)]
pub enum SizeExpr {
    /// A literal.
    Literal(usize, Span),
    /// One capital letter: a size variable. Lower case: a `usize` argument. Otherwise a `#[constant]`.
    Name(Path),
    /// `{2 * K}` and the like; the operator is `+`, `-`, `*` or `/` (exact).
    Binary(char, Box<SizeExpr>, Box<SizeExpr>, Span),
}

/// Statements and a last expression.
#[derive(Clone, Debug)]
pub struct Block {
    /// In order.
    pub statements: Vec<Statement>,
    /// The value; absent where the block ends with a statement.
    pub value: Option<Box<Expr>>,
    /// The whole block.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug)]
pub enum Statement {
    /// `let pattern: ty = value;`, also with `mut`.
    Let {
        /// What it binds.
        pattern: Pattern,
        /// The annotation.
        ty: Option<TypeExpr>,
        /// The value.
        value: Expr,
    },
    /// `name = value;`, also `+=`, `-=`, `*=`, `/=` (already spelled out as `name = name + value`).
    Assign(Name, Expr),
    /// `for pattern in from..to { … }`; `to` is exclusive, `inclusive` adds one.
    For {
        /// The loop variable; `None` for `_`.
        variable: Option<Name>,
        /// The first value.
        from: Expr,
        /// The end.
        to: Expr,
        /// Whether `to` itself is a turn.
        inclusive: bool,
        /// What is repeated.
        body: Block,
        /// Where the loop stands.
        span: Span,
    },
    /// `if` without a value, and calls whose value is dropped (`update(…)`).
    Expr(Expr),
}

/// What a `let`, a closure or a `for` binds.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// A name.
    Name(Name),
    /// `_`.
    Wild(Span),
    /// A tuple.
    Tuple(Vec<Pattern>, Span),
}

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it was written, or, for an imported item, the call that imports it. For a call, the last name
    /// of the callee's path; for an operator, the operator.
    pub span: Span,
    /// The line it was written at, in the file of its own item.
    pub line: usize,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `2`, `0.5`, `2_000`; `true` for an integer literal.
    Number(f64, bool),
    /// `"bd,d->b"`.
    Text(String),
    /// `true`, `false`.
    Flag(bool),
    /// A local, an argument, a constant, or a function as a value.
    Path(Path),
    /// `f::<8>`, a function as a value at these sizes.
    Sized(Path, Vec<SizeExpr>),
    /// `f(x, k = 3)`.
    Call {
        /// What is called.
        callee: Path,
        /// `f::<8>(x)`.
        sizes: Vec<SizeExpr>,
        /// The arguments; those with a name come last.
        args: Vec<Argument>,
    },
    /// `a + b`: the operator's text, one of + - * / % == != < <= > >= && ||.
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// `-a` or `!a`: the operator's text.
    Unary(&'static str, Box<Expr>),
    /// `(a, b)`.
    Tuple(Vec<Expr>),
    /// `{ … }`.
    Block(Block),
    /// `if c { … } else { … }` over a compile-time flag.
    If(Box<Expr>, Block, Option<Block>),
    /// `|w, v| …`.
    Closure(Vec<Pattern>, Box<Expr>),
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub struct Argument {
    /// The name in `axis = 1`.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}
