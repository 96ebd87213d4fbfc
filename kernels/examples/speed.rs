//! Prints what the kernels reach on this machine: nanoseconds an element, GFLOP/s.
//! `cargo run --release -p diabolo-kernels --example speed`
use diabolo_kernels::*;
use std::hint::black_box;
use std::time::Instant;

mod loops;

/// The median seconds of a call.
fn seconds(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    work();
    let once = start.elapsed().as_secs_f64().max(1e-9);
    let inner = (1e-3 / once).clamp(1.0, 1e5) as usize;
    let mut times: Vec<f64> = (0..31)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..inner {
                work();
            }
            start.elapsed().as_secs_f64() / inner as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

struct Map<'a, G>(&'a [f32], &'a mut [f32], G);
trait Function: Copy {
    fn at<I: Isa>(self, x: f32) -> f32;
}
impl<G: Function> Body for Map<'_, G> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for start in (0..self.0.len()).step_by(block::BLOCK) {
            let x: [f32; block::BLOCK] = block::load(self.0, start, block::BLOCK);
            let mut y = x;
            for i in 0..block::BLOCK {
                y[i] = self.2.at::<I>(x[i]);
            }
            block::store(self.1, start, block::BLOCK, &y);
        }
    }
}

fn elements() {
    const N: usize = 8192;
    let mut x = vec![0.0_f32; N];
    random::normal(random::Stream { seed: 1, step: 0, site: 0 }, 0, &mut x);
    let mut y = vec![0.0_f32; N];
    macro_rules! each {
        ($($name:ident |$x:ident, $isa:ident| $value:expr;)*) => {$(
            #[derive(Clone, Copy)]
            #[allow(non_camel_case_types)] // named like the function
            struct $name;
            impl Function for $name {
                #[inline(always)]
                fn at<$isa: Isa>(self, $x: f32) -> f32 {
                    $value
                }
            }
            let s = seconds(|| dispatch(Map(black_box(&x), &mut y, $name)));
            println!("{:9} {:6.2} ns", stringify!($name), s / N as f64 * 1e9);
        )*};
    }
    each! {
        exp |x, I| math::exp::<I, f32>(x);
        expm1 |x, I| math::expm1::<I, f32>(x);
        log |x, I| math::log::<I, f32>(x);
        log1p |x, I| math::log1p::<I, f32>(x);
        tanh |x, I| math::tanh::<I, f32>(x);
        sigmoid |x, I| math::sigmoid::<I, f32>(x);
        softplus |x, I| math::softplus::<I, f32>(x);
        erf |x, I| math::erf::<I, f32>(x);
        sin |x, I| math::sin::<I, f32>(x);
        floor |x, I| math::floor::<I, f32>(x);
        pow |x, I| math::pow::<I, f32>(x, 1.7);
    }
    let stream = random::Stream { seed: 1, step: 2, site: 3 };
    let s = seconds(|| random::uniform(stream, 0, black_box(&mut y)));
    println!("{:9} {:6.2} ns", "uniform", s / N as f64 * 1e9);
    let s = seconds(|| random::normal(stream, 0, black_box(&mut y)));
    println!("{:9} {:6.2} ns", "normal", s / N as f64 * 1e9);
    let s = seconds(|| _ = black_box(sum(black_box(&y))));
    println!("{:9} {:6.2} ns", "sum", s / N as f64 * 1e9);
    fused::<64>(784);
    fused::<64>(64);
    fused::<32>(32);
    fused::<8>(8);
}

fn fused<const N: usize>(width: usize) {
    let rows = 128;
    let n = rows * width;
    let (z, x, bias) = (vec![0.5_f32; n], vec![0.3; n], vec![0.1; width]);
    let (mut gradient, mut loss) = (vec![0.0; n], vec![0.0; rows]);
    let s = seconds(|| {
        dispatch(loops::Bce::<_, N> { z: &z, bias: &bias, x: &x, gradient: &mut gradient, loss: &mut loss });
    });
    println!("fused loss and gradient, {width:3} wide, blocks of {N:2} {:6.2} ns", s / n as f64 * 1e9);
}

fn matrices() {
    for (name, batch, layers) in [
        ("W1", 64, &[(64, 32), (32, 8), (8, 32), (32, 64)][..]),
        ("W2", 32, &[(784, 256), (256, 64), (64, 256), (256, 784)][..]),
        ("W2", 128, &[(784, 256), (256, 64), (64, 256), (256, 784)][..]),
        ("W4", 1024, &[(784, 1024), (1024, 512), (512, 64)][..]),
    ] {
        for &(i, o) in layers {
            let (x, w, dy) = (vec![0.5_f32; batch * i], vec![0.5; i * o], vec![0.5; batch * o]);
            let (mut y, mut dx, mut dw) = (vec![0.0; batch * o], vec![0.0; batch * i], vec![0.0; i * o]);
            let (x, w, dy) =
                (MatRef::rows_of(&x, batch, i), MatRef::rows_of(&w, i, o), MatRef::rows_of(&dy, batch, o));
            let forward = seconds(|| matmul(MatMut::rows_of(&mut y, batch, o), x, w, false));
            let input = seconds(|| matmul(MatMut::rows_of(&mut dx, batch, i), dy, w.t(), false));
            let weight = seconds(|| matmul(MatMut::rows_of(&mut dw, i, o), x.t(), dy, true));
            let rate = |s: f64| 2.0 * (batch * i * o) as f64 / s / 1e9;
            println!(
                "{name} {batch:4} rows {i:4} to {o:4}: forward {:4.0}, input gradient {:4.0}, weight gradient {:4.0} GFLOP/s",
                rate(forward),
                rate(input),
                rate(weight)
            );
        }
    }
}

fn main() {
    println!("{}", isa_name());
    elements();
    matrices();
}
