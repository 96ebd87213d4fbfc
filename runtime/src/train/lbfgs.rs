//! L-BFGS: a quasi-Newton direction from the last few steps.
//!
//! In: a function of many numbers with its gradient. Out: a place where the gradient is small, and how it was
//! reached; Nocedal and Wright, *Numerical Optimization* (2006), algorithms 7.4 and 7.5. Never: an allocation after the
//! beginning.

use diabolo_kernels::Float;

use super::line_search::{Point, search};

/// Minimisation over all rows at once by L-BFGS (Liu and Nocedal 1989), with a line search that meets the strong
/// Wolfe conditions.
///
/// `Lbfgs { iterations: 200, ..Lbfgs::new() }` for other limits. Meant for `precision::<f64>()`: in f32 it ends
/// where rounding hides any descent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lbfgs {
    /// Steps that the direction remembers.
    pub memory: usize,
    /// The most iterations.
    pub iterations: usize,
    /// It ends where the Euclidean norm of the gradient is at most this times max(1, |loss|).
    pub gradient: f64,
    /// It ends where an iteration lowers the loss by at most this times max(1, |loss|).
    pub change: f64,
}

impl Lbfgs {
    /// Ten steps remembered, at most 1000 iterations, a gradient of 1e-8, a change of 1e-14.
    pub fn new() -> Self {
        Lbfgs { memory: 10, iterations: 1000, gradient: 1e-8, change: 1e-14 }
    }
}

impl Default for Lbfgs {
    fn default() -> Self {
        Lbfgs::new()
    }
}

/// How a minimisation went.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    /// The loss.
    pub loss: f64,
    /// The Euclidean norm of its gradient.
    pub gradient: f64,
    /// How much the last iteration lowered the loss.
    pub change: f64,
    /// Iterations.
    pub iterations: usize,
    /// Evaluations of the loss with its gradient.
    pub evaluations: usize,
    /// Why it ended.
    pub stopped: Stopped,
}

/// Why a minimisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stopped {
    /// The gradient is small enough.
    Gradient,
    /// The loss hardly changes.
    Change,
    /// The most iterations are done.
    Iterations,
    /// Rounding hides any descent.
    Precision,
}

impl std::fmt::Display for Minimum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = match self.stopped {
            Stopped::Gradient => "the gradient is small",
            Stopped::Change => "the loss hardly changes",
            Stopped::Iterations => "the last iteration allowed",
            Stopped::Precision => "rounding hides any descent",
        };
        let Minimum { loss, gradient, change, iterations, evaluations, .. } = self;
        write!(f, "loss {loss:.6} after {iterations} iterations and {evaluations} evaluations: {end} ")?;
        write!(f, "(gradient {gradient:.1e}, change {change:.1e})")
    }
}

/// The last steps and what they did to the gradient, in a ring.
struct Memory<F> {
    /// Differences of places, and of gradients, newest at `newest`.
    s: Vec<Vec<F>>,
    y: Vec<Vec<F>>,
    /// 1 / (s · y).
    rho: Vec<f64>,
    alpha: Vec<f64>,
    newest: usize,
    count: usize,
}

impl<F: Float> Memory<F> {
    fn new(steps: usize, len: usize) -> Self {
        let vectors = || (0..steps).map(|_| vec![F::ZERO; len]).collect();
        Memory {
            s: vectors(),
            y: vectors(),
            rho: vec![0.0; steps],
            alpha: vec![0.0; steps],
            newest: 0,
            count: 0,
        }
    }

    /// Algorithm 7.4: minus the approximate inverse Hessian times the gradient.
    fn direction(&mut self, gradient: &[F], direction: &mut [F]) {
        let steps = self.s.len();
        direction.iter_mut().zip(gradient).for_each(|(d, g)| *d = -*g);
        let ring = |age: usize| (self.newest + steps - age) % steps;
        for i in (0..self.count).map(ring) {
            self.alpha[i] = self.rho[i] * dot(&self.s[i], direction);
            add(direction, -self.alpha[i], &self.y[i]);
        }
        if self.count > 0 {
            // Equation 7.20: the size of the Hessian along the last step.
            let last = self.newest;
            let scale = F::from_f64(1.0 / (self.rho[last] * dot(&self.y[last], &self.y[last])));
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        for i in (0..self.count).rev().map(ring) {
            let beta = self.rho[i] * dot(&self.y[i], direction);
            add(direction, self.alpha[i] - beta, &self.s[i]);
        }
    }

    /// Remembers a step; one along which the gradient does not grow says nothing.
    fn remember(&mut self, step: impl Iterator<Item = F>, change: impl Iterator<Item = F>) {
        let next = if self.count == 0 { self.newest } else { (self.newest + 1) % self.s.len() };
        self.s[next].iter_mut().zip(step).for_each(|(s, x)| *s = x);
        self.y[next].iter_mut().zip(change).for_each(|(y, g)| *y = g);
        let (curvature, size) = (dot(&self.s[next], &self.y[next]), dot(&self.y[next], &self.y[next]));
        if curvature > 1e-16 * size {
            self.rho[next] = 1.0 / curvature;
            self.newest = next;
            self.count = (self.count + 1).min(self.s.len());
        } else if self.count == self.s.len() {
            // The oldest is overwritten already.
            self.count -= 1;
        }
    }
}

/// Minimises `f`, which writes the gradient at a place and returns the value; `x` is where it begins and ends.
pub(super) fn minimise<F: Float>(
    method: &Lbfgs,
    x: &mut [F],
    mut f: impl FnMut(&[F], &mut [F]) -> f64,
) -> Minimum {
    let len = x.len();
    let vector = || vec![F::ZERO; len];
    let (mut gradient, mut next, mut next_gradient, mut direction) = (vector(), vector(), vector(), vector());
    let mut memory = Memory::new(method.memory, len);
    let mut evaluations = 1;
    let mut loss = f(x, &mut gradient);
    let mut change = f64::INFINITY;
    let mut iterations = 0;
    let stopped = loop {
        let norm = dot(&gradient, &gradient).sqrt();
        let scale = loss.abs().max(1.0);
        if norm <= method.gradient * scale {
            break Stopped::Gradient;
        }
        if change <= method.change * scale {
            break Stopped::Change;
        }
        if iterations == method.iterations {
            break Stopped::Iterations;
        }
        memory.direction(&gradient, &mut direction);
        let mut slope = dot(&gradient, &direction);
        // Rounding has made the memory useless: begin anew with the gradient.
        if slope.is_nan() || slope >= 0.0 {
            memory.count = 0;
            memory.direction(&gradient, &mut direction);
            slope = dot(&gradient, &direction);
        }
        let first = if memory.count == 0 { (1.0 / norm).min(1.0) } else { 1.0 };
        let start = Point { length: 0.0, value: loss, slope };
        let found = search(start, first, |length| {
            let length = F::from_f64(length);
            for ((next, x), d) in next.iter_mut().zip(&*x).zip(&direction) {
                *next = *x + length * *d;
            }
            evaluations += 1;
            let value = f(&next, &mut next_gradient);
            (value, dot(&next_gradient, &direction))
        });
        match found {
            Some(point) => {
                memory.remember(difference(&next, x), difference(&next_gradient, &gradient));
                x.copy_from_slice(&next);
                gradient.copy_from_slice(&next_gradient);
                (change, loss) = (loss - point.value, point.value);
                iterations += 1;
            }
            // Along the gradient itself nothing is lower.
            None if memory.count == 0 => break Stopped::Precision,
            None => memory.count = 0,
        }
    };
    // What the last search tried is not where it ended.
    loss = f(x, &mut gradient);
    evaluations += 1;
    let gradient = dot(&gradient, &gradient).sqrt();
    Minimum { loss, gradient, change, iterations, evaluations, stopped }
}

/// Sums in f64, in order: the same for every number of threads.
fn dot<F: Float>(a: &[F], b: &[F]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.to_f64() * b.to_f64()).sum()
}

fn difference<F: Float>(a: &[F], b: &[F]) -> impl Iterator<Item = F> {
    a.iter().zip(b).map(|(a, b)| *a - *b)
}

fn add<F: Float>(to: &mut [F], factor: f64, what: &[F]) {
    let factor = F::from_f64(factor);
    to.iter_mut().zip(what).for_each(|(to, x)| *to += factor * *x);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley in `n` dimensions (1960), whose minimum is 0 at (1, …, 1).
    fn valley(x: &[f64], g: &mut [f64]) -> f64 {
        g.fill(0.0);
        let mut sum = 0.0;
        for i in 0..x.len() - 1 {
            let (a, b) = (1.0 - x[i], x[i + 1] - x[i] * x[i]);
            sum += a * a + 100.0 * b * b;
            g[i] += -2.0 * a - 400.0 * x[i] * b;
            g[i + 1] += 200.0 * b;
        }
        sum
    }

    /// A minimum of 0 has no change to be measured by.
    fn to_the_end() -> Lbfgs {
        Lbfgs { change: 0.0, ..Lbfgs::new() }
    }

    #[test]
    fn it_walks_down_a_curved_valley() {
        let mut x: Vec<f64> = (0..20).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
        let end = minimise(&to_the_end(), &mut x, valley);
        assert_eq!(end.stopped, Stopped::Gradient, "{end}");
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-7) && end.evaluations < 300, "{end}: {x:?}");
    }

    #[test]
    fn in_few_dimensions_it_takes_few_steps() {
        // A quadratic with eigenvalues 1 to 1e4, for which gradient descent takes tens of thousands.
        let f = |x: &[f64], g: &mut [f64]| {
            let mut sum = 0.0;
            for (i, x) in x.iter().enumerate() {
                let scale = 10f64.powi(i as i32);
                g[i] = scale * (x - 1.0);
                sum += 0.5 * scale * (x - 1.0).powi(2);
            }
            sum
        };
        let mut x = vec![3.0; 5];
        let end = minimise(&to_the_end(), &mut x, f);
        assert!(end.stopped == Stopped::Gradient && end.iterations < 60, "{end}");
        // The order of the two loops matters only with more than one pair: without memory it is far slower.
        let mut x = vec![3.0; 5];
        let short = minimise(&Lbfgs { memory: 1, ..to_the_end() }, &mut x, f);
        assert!(short.iterations > end.iterations, "{short} against {end}");
    }

    #[test]
    fn every_end_is_named() {
        let run = |method: Lbfgs, at: f64| minimise(&method, &mut [at, 1.0], valley).stopped;
        assert_eq!(run(Lbfgs { iterations: 3, ..Lbfgs::new() }, -1.2), Stopped::Iterations);
        assert_eq!(run(Lbfgs { change: 1.0, ..Lbfgs::new() }, -1.2), Stopped::Change);
        assert_eq!(run(Lbfgs::new(), 1.0), Stopped::Gradient);
        let single = |x: &[f32], g: &mut [f32]| {
            (g[0], g[1]) = (2.0 * (x[0] - 0.3), 2e4 * (x[1] - 0.7));
            f64::from(1.0f32 + (x[0] - 0.3).powi(2) + 1e4 * (x[1] - 0.7).powi(2))
        };
        let end =
            minimise(&Lbfgs { gradient: 0.0, change: -1.0, ..Lbfgs::new() }, &mut [5.0f32, 3.0], single);
        assert!(matches!(end.stopped, Stopped::Precision | Stopped::Gradient), "{end}");
    }
}
