//! A loop as the compiler emits it. In: logits, bias, targets. Out: binary cross-entropy of each row and
//! its gradient. Never: unsafe code, or a slice used while another is written: blocks only.
use diabolo_kernels::block;
use diabolo_kernels::{Body, Float, Isa, math};

/// Binary cross-entropy from logits, summed over each row, with the bias added along the rows, in blocks of
/// `N` columns.
pub struct Bce<'a, F, const N: usize> {
    pub z: &'a [F],
    pub bias: &'a [F],
    pub x: &'a [F],
    pub gradient: &'a mut [F],
    pub loss: &'a mut [F],
}

impl<F: Float, const N: usize> Body for Bce<'_, F, N> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let width = self.bias.len();
        for r in 0..self.loss.len() {
            let mut acc = [F::ZERO; N];
            let mut start = 0;
            while start < width {
                let len = N.min(width - start);
                let at = r * width + start;
                let z: [F; N] = block::load(self.z, at, len);
                let bias: [F; N] = block::load(self.bias, start, len);
                let x: [F; N] = block::load(self.x, at, len);
                let mut gradient = [F::ZERO; N];
                let mut loss = [F::ZERO; N];
                for i in 0..N {
                    let y = z[i] + bias[i];
                    gradient[i] = math::sigmoid::<I, F>(y) - x[i];
                    loss[i] = math::softplus::<I, F>(y) - y * x[i];
                }
                block::store(self.gradient, at, len, &gradient);
                block::accumulate(&mut acc, &loss, len);
                start += N;
            }
            self.loss[r] = block::sum(&acc, N);
        }
    }
}
