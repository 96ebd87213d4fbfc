#[allow(
    unused_variables,
    unused_mut,
    unused_parens,
    unused_imports,
    unused_doc_comments,
    non_snake_case,
    dead_code,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]
const _: () = {
    /// `add` (model.rs:7); called once more
    struct Loop0Add<'a, F> {
        output0: &'a mut [F],
        input0: &'a [F],
        dim_T: usize,
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop0Add<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop0Add { output0, input0, dim_T, rows } = self;
            for i0 in 0..rows * dim_T {
                let start0 = i0 * 8;
                let in0: [F; 8] = block::load(output0, start0, 8);
                let in1: [F; 8] = block::load(input0, 0, 8);
                let mut out3 = [F::ZERO; 8];
                for l in 0..8 {
                    let v0 = in0[l];
                    let v1 = in1[l];
                    let v2 = v0 + v1;
                    out3[l] = v2;
                }
                block::store(output0, start0, 8, &out3);
            }
        }
    }
    /// `scan` (model.rs:22)
    struct Loop1Fill<'a, F> {
        output0: &'a mut [F],
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop1Fill<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop1Fill { output0, rows } = self;
            let v0 = F::ZERO;
            let mut at = 0;
            while at < rows * 8 {
                let len = 64.min(rows * 8 - at);
                let mut out1 = [F::ZERO; 64];
                for l in 0..64 {
                    out1[l] = v0;
                }
                block::store(output0, at, len, &out1);
                at += 64;
            }
        }
    }
    /// `add` (model.rs:7), `add` (model.rs:22), `tanh` (model.rs:22), `scan` (model.rs:22)
    struct Loop2AddAddTanh<'a, F> {
        input0: &'a [F],
        input1: &'a [F],
        input2: &'a [F],
        output0: &'a mut [F],
        output1: &'a mut [F],
        dim_T: usize,
        turn0: usize,
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body
    for Loop2AddAddTanh<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop2AddAddTanh {
                input0,
                input1,
                input2,
                output0,
                output1,
                dim_T,
                turn0,
                rows,
            } = self;
            for i0 in 0..rows {
                let start0 = i0 * 8;
                let start1 = 8 * turn0 + i0 * 8 * dim_T;
                let in0: [F; 8] = block::load(input0, 0, 8);
                let in1: [F; 8] = block::load(input1, start0, 8);
                let in3: [F; 8] = block::load(input2, start1, 8);
                let mut out6 = [F::ZERO; 8];
                let mut out7 = [F::ZERO; 8];
                for l in 0..8 {
                    let v0 = in0[l];
                    let v1 = in1[l];
                    let v2 = v0 + v1;
                    let v3 = in3[l];
                    let v4 = v3 + v2;
                    let v5 = math::tanh::<I, F>(v4);
                    out6[l] = v5;
                    out7[l] = v5;
                }
                block::store(output0, start1, 8, &out6);
                block::store(output1, start0, 8, &out7);
            }
        }
    }
    /// `sub` (model.rs:27), `sum_squares` (model.rs:27), `recurrent` (model.rs:26)
    struct Loop3SubSquareSum<'a, F> {
        input0: &'a [F],
        input1: &'a [F],
        output0: &'a mut [F],
        dim_T: usize,
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body
    for Loop3SubSquareSum<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop3SubSquareSum { input0, input1, output0, dim_T, rows } = self;
            let mut sum4 = [F::ZERO; 64];
            let mut at = 0;
            while at < rows * 8 * dim_T {
                let len = 64.min(rows * 8 * dim_T - at);
                let in0: [F; 64] = block::load(input0, at, len);
                let in1: [F; 64] = block::load(input1, at, len);
                let mut out4 = [F::ZERO; 64];
                for l in 0..64 {
                    let v0 = in0[l];
                    let v1 = in1[l];
                    let v2 = v0 - v1;
                    let v3 = v2 * v2;
                    out4[l] = v3;
                }
                block::accumulate(&mut sum4, &out4, len);
                at += 64;
            }
            let total4 = block::sum(&sum4, 64);
            output0[0] += total4;
        }
    }
    /// `recurrent` (model.rs:26)
    struct Loop4RecipMul<'a, F> {
        input0: &'a [F],
        output0: &'a mut [F],
        dim_B: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body
    for Loop4RecipMul<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop4RecipMul { input0, output0, dim_B } = self;
            let v0 = F::from_usize(dim_B);
            let v2 = input0[0];
            let v1 = F::ONE / v0;
            let v3 = v2 * v1;
            output0[0] = v3;
        }
    }
    /// `recurrent` (model.rs:26)
    struct Loop5Recip<'a, F> {
        output0: &'a mut [F],
        dim_B: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop5Recip<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop5Recip { output0, dim_B } = self;
            let v0 = F::from_usize(dim_B);
            let v1 = F::ONE / v0;
            output0[0] = v1;
        }
    }
    /// `scan` (model.rs:22)
    struct Loop6Fill<'a, F> {
        output0: &'a mut [F],
        output1: &'a mut [F],
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop6Fill<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop6Fill { output0, output1, rows } = self;
            let v0 = F::ZERO;
            let mut at = 0;
            while at < rows * 8 {
                let len = 64.min(rows * 8 - at);
                let mut out1 = [F::ZERO; 64];
                let mut out2 = [F::ZERO; 64];
                for l in 0..64 {
                    out1[l] = v0;
                    out2[l] = v0;
                }
                block::store(output0, at, len, &out1);
                block::store(output1, at, len, &out2);
                at += 64;
            }
        }
    }
    /// `add` (model.rs:7), `add` (model.rs:22), `tanh` (model.rs:22), `scan` (model.rs:22)
    struct Loop7AddAddTanh<'a, F> {
        input0: &'a [F],
        output0: &'a mut [F],
        input1: &'a [F],
        output1: &'a mut [F],
        dim_T: usize,
        turn0: usize,
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body
    for Loop7AddAddTanh<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop7AddAddTanh {
                input0,
                output0,
                input1,
                output1,
                dim_T,
                turn0,
                rows,
            } = self;
            for i0 in 0..rows {
                let start0 = i0 * 8;
                let start1 = 8 * turn0 + i0 * 8 * dim_T;
                let in0: [F; 8] = block::load(input0, 0, 8);
                let in1: [F; 8] = block::load(output0, start0, 8);
                let in3: [F; 8] = block::load(input1, start1, 8);
                let mut out6 = [F::ZERO; 8];
                let mut out7 = [F::ZERO; 8];
                for l in 0..8 {
                    let v0 = in0[l];
                    let v1 = in1[l];
                    let v2 = v0 + v1;
                    let v3 = in3[l];
                    let v4 = v3 + v2;
                    let v5 = math::tanh::<I, F>(v4);
                    out6[l] = v5;
                    out7[l] = v5;
                }
                block::store(output0, start0, 8, &out6);
                block::store(output1, start1, 8, &out7);
            }
        }
    }
    /// `scan` (model.rs:22)
    struct Loop8Copy<'a, F> {
        input0: &'a [F],
        output0: &'a mut [F],
        dim_T: usize,
        turn0: usize,
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop8Copy<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop8Copy { input0, output0, dim_T, turn0, rows } = self;
            for i0 in 0..rows {
                let start0 = i0 * 8;
                let start1 = 8 * turn0 + i0 * 8 * dim_T;
                let in0: [F; 8] = block::load(input0, start0, 8);
                let mut out1 = [F::ZERO; 8];
                for l in 0..8 {
                    let v0 = in0[l];
                    out1[l] = v0;
                }
                block::store(output0, start1, 8, &out1);
            }
        }
    }
    /// `scan` (model.rs:22); called once more
    struct Loop9Copy<'a, F> {
        input0: &'a [F],
        output0: &'a mut [F],
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop9Copy<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop9Copy { input0, output0, rows } = self;
            let mut at = 0;
            while at < rows * 8 {
                let len = 64.min(rows * 8 - at);
                let in0: [F; 64] = block::load(input0, at, len);
                let mut out1 = [F::ZERO; 64];
                for l in 0..64 {
                    let v0 = in0[l];
                    out1[l] = v0;
                }
                block::store(output0, at, len, &out1);
                at += 64;
            }
        }
    }
    /// `sub` (model.rs:27), `sum_squares` (model.rs:27), `recurrent` (model.rs:26)
    struct Loop10SubSquareSumMul<'a, F> {
        output0: &'a mut [F],
        input0: &'a [F],
        output1: &'a mut [F],
        input1: &'a [F],
        dim_T: usize,
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body
    for Loop10SubSquareSumMul<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop10SubSquareSumMul {
                output0,
                input0,
                output1,
                input1,
                dim_T,
                rows,
            } = self;
            let mut sum4 = [F::ZERO; 64];
            let v5 = input1[0];
            let v7 = F::from_f64(2.0);
            let mut at = 0;
            while at < rows * 8 * dim_T {
                let len = 64.min(rows * 8 * dim_T - at);
                let in0: [F; 64] = block::load(output0, at, len);
                let in1: [F; 64] = block::load(input0, at, len);
                let mut out4 = [F::ZERO; 64];
                let mut out9 = [F::ZERO; 64];
                for l in 0..64 {
                    let v0 = in0[l];
                    let v1 = in1[l];
                    let v2 = v0 - v1;
                    let v3 = v2 * v2;
                    out4[l] = v3;
                    let v6 = v2 * v5;
                    let v8 = v6 * v7;
                    out9[l] = v8;
                }
                block::accumulate(&mut sum4, &out4, len);
                block::store(output0, at, len, &out9);
                at += 64;
            }
            let total4 = block::sum(&sum4, 64);
            output1[0] += total4;
        }
    }
    /// `add` (model.rs:7), `add` (model.rs:22), `tanh` (model.rs:22)
    struct Loop11AddAddTanhSquare<'a, F> {
        input0: &'a [F],
        input1: &'a [F],
        output0: &'a mut [F],
        dim_T: usize,
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body
    for Loop11AddAddTanhSquare<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop11AddAddTanhSquare { input0, input1, output0, dim_T, rows } = self;
            for i0 in 0..rows * dim_T {
                let start0 = i0 * 8;
                let v7 = F::ONE;
                let in0: [F; 8] = block::load(input0, start0, 8);
                let in1: [F; 8] = block::load(input1, 0, 8);
                let in3: [F; 8] = block::load(output0, start0, 8);
                let mut out9 = [F::ZERO; 8];
                for l in 0..8 {
                    let v0 = in0[l];
                    let v1 = in1[l];
                    let v2 = v0 + v1;
                    let v3 = in3[l];
                    let v4 = v3 + v2;
                    let v5 = math::tanh::<I, F>(v4);
                    let v6 = v5 * v5;
                    let v8 = v7 - v6;
                    out9[l] = v8;
                }
                block::store(output0, start0, 8, &out9);
            }
        }
    }
    /// `scan` (model.rs:22), `tanh` (model.rs:22)
    struct Loop12AddMul<'a, F> {
        input0: &'a [F],
        input1: &'a [F],
        input2: &'a [F],
        output0: &'a mut [F],
        output1: &'a mut [F],
        dim_T: usize,
        turn0: usize,
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop12AddMul<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop12AddMul {
                input0,
                input1,
                input2,
                output0,
                output1,
                dim_T,
                turn0,
                rows,
            } = self;
            for i0 in 0..rows {
                let start0 = i0 * 8;
                let start1 = 8 * turn0 + i0 * 8 * dim_T;
                let in0: [F; 8] = block::load(input0, start0, 8);
                let in1: [F; 8] = block::load(input1, start1, 8);
                let in3: [F; 8] = block::load(input2, start1, 8);
                let mut out5 = [F::ZERO; 8];
                let mut out6 = [F::ZERO; 8];
                for l in 0..8 {
                    let v0 = in0[l];
                    let v1 = in1[l];
                    let v2 = v0 + v1;
                    let v3 = in3[l];
                    let v4 = v3 * v2;
                    out5[l] = v4;
                    out6[l] = v4;
                }
                block::store(output0, start0, 8, &out5);
                block::store(output1, start1, 8, &out6);
            }
        }
    }
    /// `expand_like` (model.rs:7)
    struct Loop13Sum<'a, F> {
        input0: &'a [F],
        output0: &'a mut [F],
        dim_T: usize,
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop13Sum<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop13Sum { input0, output0, dim_T, rows } = self;
            for i0 in 0..rows * dim_T {
                let start0 = i0 * 8;
                let in0: [F; 8] = block::load(input0, start0, 8);
                let in1: [F; 8] = block::load(output0, 0, 8);
                let mut out1 = [F::ZERO; 8];
                for l in 0..8 {
                    let v0 = in0[l];
                    out1[l] = in1[l] + v0;
                }
                block::store(output0, 0, 8, &out1);
            }
        }
    }
    /// `recurrent` (model.rs:26)
    struct Loop14Mul<'a, F> {
        input0: &'a [F],
        input1: &'a [F],
        output0: &'a mut [F],
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop14Mul<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop14Mul { input0, input1, output0 } = self;
            let v0 = input0[0];
            let v1 = input1[0];
            let v2 = v0 * v1;
            output0[0] = v2;
        }
    }
    /// `y` (model.rs:6)
    struct Loop15Copy<'a, F> {
        input0: &'a [F],
        output0: &'a mut [F],
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop15Copy<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop15Copy { input0, output0 } = self;
            let in0: [F; 24] = block::load(input0, 0, 24);
            let mut out1 = [F::ZERO; 24];
            for l in 0..24 {
                let v0 = in0[l];
                out1[l] = v0;
            }
            block::store(output0, 0, 24, &out1);
        }
    }
    /// `expand_like` (model.rs:7)
    struct Loop16Copy<'a, F> {
        input0: &'a [F],
        output0: &'a mut [F],
        output1: &'a mut [F],
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop16Copy<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop16Copy { input0, output0, output1 } = self;
            let in0: [F; 8] = block::load(input0, 0, 8);
            let mut out1 = [F::ZERO; 8];
            let mut out2 = [F::ZERO; 8];
            for l in 0..8 {
                let v0 = in0[l];
                out1[l] = v0;
                out2[l] = v0;
            }
            block::store(output0, 0, 8, &out1);
            block::store(output1, 0, 8, &out2);
        }
    }
    /// `scan` (model.rs:22)
    struct Loop17Copy<'a, F> {
        input0: &'a [F],
        output0: &'a mut [F],
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop17Copy<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop17Copy { input0, output0 } = self;
            let in0: [F; 64] = block::load(input0, 0, 64);
            let mut out1 = [F::ZERO; 64];
            for l in 0..64 {
                let v0 = in0[l];
                out1[l] = v0;
            }
            block::store(output0, 0, 64, &out1);
        }
    }
    /// The parts of the arena, how the batch is cut, and the scratch of each stage.
    #[allow(unused_variables, unused_parens, non_snake_case, clippy::all)]
    fn evaluate_layout(
        dims: &[usize],
    ) -> ([usize; 2], [::diabolo::kernels::Tiling; 1], [usize; 1]) {
        use ::diabolo::kernels;
        let dim_B = dims[0];
        let dim_T = dims[1];
        let tilings: [kernels::Tiling; 1] = [
            kernels::Tiling::plan(dim_B, (64 + 64 * dim_T), (8 + 632 * dim_T), 4),
        ];
        let scratches: [usize; 1] = [
            tilings[0].lanes
                * (usize::next_multiple_of(tilings[0].tile * 8 * dim_T, 16)
                    + usize::next_multiple_of(tilings[0].tile * 8, 16)
                    + usize::next_multiple_of(tilings[0].tile * 8 * dim_T, 16)
                    + usize::next_multiple_of(tilings[0].tile * 8, 16)),
        ];
        (
            [tilings[0].lanes * 16, scratches.into_iter().max().unwrap_or(0)],
            tilings,
            scratches,
        )
    }
    /// Elements of scratch that the program needs.
    #[allow(unused_variables)]
    pub(crate) fn evaluate_workspace(dims: &[usize]) -> usize {
        let (slots, tilings, scratches) = evaluate_layout(dims);
        slots.iter().sum()
    }
    /// Runs the program.
    #[allow(unused_variables, unused_mut, unused_doc_comments, non_snake_case)]
    pub(crate) fn evaluate<F: ::diabolo::kernels::Float>(
        env: ::diabolo::program::Env<'_, F>,
    ) {
        use ::diabolo::kernels;
        let ::diabolo::program::Env {
            dims,
            first_row,
            inputs,
            params,
            offsets,
            hypers,
            seed,
            step,
            work,
            grads,
            states,
            outputs,
            metrics,
            inspect,
        } = env;
        let dim_B = dims[0];
        let dim_T = dims[1];
        let (slots, tilings, scratches) = evaluate_layout(dims);
        /// x
        let (x0, inputs) = inputs.split_at(3 * dim_B * dim_T);
        /// y
        let (x1, inputs) = inputs.split_at(8 * dim_B * dim_T);
        /// remember.dense0.weight
        let p0 = &params[offsets[0]..][..24];
        /// remember.dense0.bias
        let p1 = &params[offsets[1]..][..8];
        /// remember.dense1.weight
        let p2 = &params[offsets[2]..][..64];
        /// remember.dense1.bias
        let p3 = &params[offsets[3]..][..8];
        /// loss
        let (m0, metrics) = metrics.split_at_mut(1);
        let (lanes0, work) = work.split_at_mut(slots[0]);
        let (scratch, work) = work.split_at_mut(slots[1]);
        /// Stage 1, by tiles of rows: `y` (model.rs:6), `add` (model.rs:7), `scan` (model.rs:22), `add` (model.rs:22), `tanh` (model.rs:22), `sub` (model.rs:27) and 2 more.
        kernels::stage(
            tilings[0],
            &mut scratch[..scratches[0]],
            lanes0,
            [],
            |tile| {
                let kernels::Tile { first, rows, scratch, acc, full: [] } = tile;
                let height = tilings[0].tile;
                let (s0, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 8 * dim_T, 16));
                let (s1, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 8, 16));
                let (s2, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 8 * dim_T, 16));
                let (s3, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 8, 16));
                let (a5, acc) = acc.split_at_mut(1);
                /// `y` (model.rs:6)
                kernels::matmul(
                    kernels::MatMut::new(s0, rows * dim_T, 8, 8, 1),
                    kernels::MatRef::new(
                        kernels::block::rest(x0, first * 3 * dim_T),
                        rows * dim_T,
                        3,
                        3,
                        1,
                    ),
                    kernels::MatRef::new(p0, 3, 8, 8, 1),
                    false,
                );
                /// `add` (model.rs:7)
                kernels::dispatch(Loop0Add {
                    output0: s0,
                    input0: p1,
                    dim_T,
                    rows,
                });
                /// `scan` (model.rs:22)
                kernels::dispatch(Loop1Fill { output0: s1, rows });
                /// `scan` (model.rs:22)
                for dim_t0 in 0..dim_T {
                    /// `y` (model.rs:6)
                    kernels::matmul(
                        kernels::MatMut::new(s3, rows, 8, 8, 1),
                        kernels::MatRef::new(s1, rows, 8, 8, 1),
                        kernels::MatRef::new(p2, 8, 8, 8, 1),
                        false,
                    );
                    /// `add` (model.rs:7), `add` (model.rs:22), `tanh` (model.rs:22), `scan` (model.rs:22)
                    kernels::dispatch(Loop2AddAddTanh {
                        input0: p3,
                        input1: s3,
                        input2: s0,
                        output0: s2,
                        output1: s1,
                        dim_T,
                        turn0: dim_t0,
                        rows,
                    });
                }
                /// `sub` (model.rs:27), `sum_squares` (model.rs:27), `recurrent` (model.rs:26)
                kernels::dispatch(Loop3SubSquareSum {
                    input0: s2,
                    input1: &x1[first * 8 * dim_T..],
                    output0: a5,
                    dim_T,
                    rows,
                });
            },
        );
        /// `recurrent` (model.rs:26)
        kernels::dispatch(Loop4RecipMul {
            input0: lanes0,
            output0: m0,
            dim_B,
        });
    }
    impl recurrent {
        fn __diabolo_spec_0() -> &'static ::diabolo::program::Spec {
            static SPEC: ::diabolo::program::Spec = ::diabolo::program::Spec {
                name: "recurrent",
                file: "model.rs",
                line: 26u32,
                symbols: &["B", "T"],
                least: &[],
                inputs: &[
                    ::diabolo::program::SlotSpec {
                        name: "x",
                        rows: true,
                        shape: &[
                            ::diabolo::program::Axis::Symbol(1usize),
                            ::diabolo::program::Axis::Known(3usize),
                        ],
                        index: None,
                    },
                    ::diabolo::program::SlotSpec {
                        name: "y",
                        rows: true,
                        shape: &[
                            ::diabolo::program::Axis::Symbol(1usize),
                            ::diabolo::program::Axis::Known(8usize),
                        ],
                        index: None,
                    },
                ],
                outputs: &[],
                hypers: &[],
                params: &[
                    ::diabolo::program::ParamSpec {
                        path: "remember.dense0.weight",
                        network: 0usize,
                        shape: &[3usize, 8usize],
                        initial: ::diabolo::program::Initial::Uniform(
                            0.5773502691896258f64,
                        ),
                        state: false,
                    },
                    ::diabolo::program::ParamSpec {
                        path: "remember.dense0.bias",
                        network: 0usize,
                        shape: &[8usize],
                        initial: ::diabolo::program::Initial::Uniform(
                            0.5773502691896258f64,
                        ),
                        state: false,
                    },
                    ::diabolo::program::ParamSpec {
                        path: "remember.dense1.weight",
                        network: 0usize,
                        shape: &[8usize, 8usize],
                        initial: ::diabolo::program::Initial::Uniform(
                            0.35355339059327373f64,
                        ),
                        state: false,
                    },
                    ::diabolo::program::ParamSpec {
                        path: "remember.dense1.bias",
                        network: 0usize,
                        shape: &[8usize],
                        initial: ::diabolo::program::Initial::Uniform(
                            0.35355339059327373f64,
                        ),
                        state: false,
                    },
                ],
                networks: &[
                    ::diabolo::program::NetworkSpec {
                        name: "remember",
                        identities: || {
                            ::std::vec![
                                < recurrent as ::diabolo::program::Declared > ::identity(&
                                [0usize])
                            ]
                        },
                    },
                ],
                metrics: &[],
                trained: &[0usize, 1usize, 2usize, 3usize],
                states: &[],
                inspects: &[],
                crosses_rows: false,
                random: false,
                plan: "costs assume B = 128, and 32 for other sizes that only a run fixes\non one thread\n  loop 1: recip () -> w0                                     // recurrent\nstage 1, by tiles of rows: a row keeps 32 * T + 24 elements (scratch 8 * T, 8, 8, 8 * T, 8 * T, 8, 8 * T) and takes 1184 * T + 8 flops; a lane sums 97\n  product rows * T × 8 × 3: s0 = x · remember.dense0.weight  // y\n  loop rows * T × 8: add (s0, remember.dense0.bias) -> s0    // add\n  loop rows * 8: copy () -> s1, s2                           // scan\n  T turns, one after the other                               // scan\n    product rows × 8 × 8: s5 = s1 · remember.dense1.weight     // y\n    loop rows × 8: add add tanh (remember.dense1.bias, s5, s0) -> s5, s4 // add, tanh, scan\n    loop rows × 8: copy (s1) -> s3                             // scan\n    loop rows * 8: copy (s5) -> s1                             // scan\n  loop rows * 8 * T: sub square mul mul (s4, y, w0) -> sum lane0, s4 // sub, sum_squares, recurrent\n  product rows * T × 8 × 8: s6 = s3 · remember.dense1.weight // y\n  loop rows * T × 8: add add tanh square sub (s6, remember.dense1.bias, s0) -> s0 // add, tanh\n  T turns, one after the other, backwards                    // scan\n    loop rows × 8: add mul (s2, s4, s0) -> s1, s6              // scan, tanh\n    product rows × 8 × 8: s5 = s1 · remember.dense1.weight     // y\n    loop rows * 8: copy (s5) -> s2                             // scan\n  product 8 × 8 × rows * T: lane1 += s3 · s6                 // scan\n  product 3 × 8 × rows * T: lane2 += x · s6                  // y\n  loop rows * T × 8: copy (s6) -> sum lane3                  // expand_like\non one thread\n  loop 1: mul (lane0, w0) -> loss                            // recurrent\n  loop 24: copy (lane2) -> grad remember.dense0.weight       // y\n  loop 8: copy (lane3) -> grad remember.dense0.bias, grad remember.dense1.bias // expand_like\n  loop 64: copy (lane1) -> grad remember.dense1.weight       // scan\nw0: 1\n",
            };
            &SPEC
        }
        fn __diabolo_evaluate_workspace_0(dims: &[usize]) -> usize {
            evaluate_workspace(dims)
        }
        fn __diabolo_evaluate_0<F: ::diabolo::kernels::Float>(
            env: ::diabolo::program::Env<'_, F>,
        ) {
            evaluate(env)
        }
    }
    /// The parts of the arena, how the batch is cut, and the scratch of each stage.
    #[allow(unused_variables, unused_parens, non_snake_case, clippy::all)]
    fn train_layout(
        dims: &[usize],
    ) -> ([usize; 3], [::diabolo::kernels::Tiling; 1], [usize; 1]) {
        use ::diabolo::kernels;
        let dim_B = dims[0];
        let dim_T = dims[1];
        let tilings: [kernels::Tiling; 1] = [
            kernels::Tiling::plan(dim_B, (96 + 128 * dim_T), (8 + 1184 * dim_T), 388),
        ];
        let scratches: [usize; 1] = [
            tilings[0].lanes
                * (usize::next_multiple_of(tilings[0].tile * 8 * dim_T, 16)
                    + usize::next_multiple_of(tilings[0].tile * 8, 16)
                    + usize::next_multiple_of(tilings[0].tile * 8, 16)
                    + usize::next_multiple_of(tilings[0].tile * 8 * dim_T, 16)
                    + usize::next_multiple_of(tilings[0].tile * 8 * dim_T, 16)
                    + usize::next_multiple_of(tilings[0].tile * 8, 16)
                    + usize::next_multiple_of(tilings[0].tile * 8 * dim_T, 16)),
        ];
        (
            [16, tilings[0].lanes * 112, scratches.into_iter().max().unwrap_or(0)],
            tilings,
            scratches,
        )
    }
    /// Elements of scratch that the program needs.
    #[allow(unused_variables)]
    pub(crate) fn train_workspace(dims: &[usize]) -> usize {
        let (slots, tilings, scratches) = train_layout(dims);
        slots.iter().sum()
    }
    /// Runs the program.
    #[allow(unused_variables, unused_mut, unused_doc_comments, non_snake_case)]
    pub(crate) fn train<F: ::diabolo::kernels::Float>(
        env: ::diabolo::program::Env<'_, F>,
    ) {
        use ::diabolo::kernels;
        let ::diabolo::program::Env {
            dims,
            first_row,
            inputs,
            params,
            offsets,
            hypers,
            seed,
            step,
            work,
            grads,
            states,
            outputs,
            metrics,
            inspect,
        } = env;
        let dim_B = dims[0];
        let dim_T = dims[1];
        let (slots, tilings, scratches) = train_layout(dims);
        /// x
        let (x0, inputs) = inputs.split_at(3 * dim_B * dim_T);
        /// y
        let (x1, inputs) = inputs.split_at(8 * dim_B * dim_T);
        /// remember.dense0.weight
        let p0 = &params[offsets[0]..][..24];
        /// remember.dense0.bias
        let p1 = &params[offsets[1]..][..8];
        /// remember.dense1.weight
        let p2 = &params[offsets[2]..][..64];
        /// remember.dense1.bias
        let p3 = &params[offsets[3]..][..8];
        /// grad remember.dense0.weight
        let (g0, grads) = grads.split_at_mut(24);
        /// grad remember.dense0.bias
        let (g1, grads) = grads.split_at_mut(8);
        /// grad remember.dense1.weight
        let (g2, grads) = grads.split_at_mut(64);
        /// grad remember.dense1.bias
        let (g3, grads) = grads.split_at_mut(8);
        /// loss
        let (m0, metrics) = metrics.split_at_mut(1);
        let (w0, work) = work.split_at_mut(slots[0]);
        let (lanes0, work) = work.split_at_mut(slots[1]);
        let (scratch, work) = work.split_at_mut(slots[2]);
        /// `recurrent` (model.rs:26)
        kernels::dispatch(Loop5Recip { output0: w0, dim_B });
        /// Stage 1, by tiles of rows: `y` (model.rs:6), `add` (model.rs:7), `scan` (model.rs:22), `add` (model.rs:22), `tanh` (model.rs:22), `sub` (model.rs:27) and 3 more.
        kernels::stage(
            tilings[0],
            &mut scratch[..scratches[0]],
            lanes0,
            [],
            |tile| {
                let kernels::Tile { first, rows, scratch, acc, full: [] } = tile;
                let height = tilings[0].tile;
                let (s0, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 8 * dim_T, 16));
                let (s1, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 8, 16));
                let (s2, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 8, 16));
                let (s3, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 8 * dim_T, 16));
                let (s4, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 8 * dim_T, 16));
                let (s5, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 8, 16));
                let (s6, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 8 * dim_T, 16));
                let (a9, acc) = acc.split_at_mut(1);
                let (a16, acc) = acc.split_at_mut(64);
                let (a17, acc) = acc.split_at_mut(24);
                let (a18, acc) = acc.split_at_mut(8);
                /// `y` (model.rs:6)
                kernels::matmul(
                    kernels::MatMut::new(s0, rows * dim_T, 8, 8, 1),
                    kernels::MatRef::new(
                        kernels::block::rest(x0, first * 3 * dim_T),
                        rows * dim_T,
                        3,
                        3,
                        1,
                    ),
                    kernels::MatRef::new(p0, 3, 8, 8, 1),
                    false,
                );
                /// `add` (model.rs:7)
                kernels::dispatch(Loop0Add {
                    output0: s0,
                    input0: p1,
                    dim_T,
                    rows,
                });
                /// `scan` (model.rs:22)
                kernels::dispatch(Loop6Fill {
                    output0: s1,
                    output1: s2,
                    rows,
                });
                /// `scan` (model.rs:22)
                for dim_t0 in 0..dim_T {
                    /// `y` (model.rs:6)
                    kernels::matmul(
                        kernels::MatMut::new(s5, rows, 8, 8, 1),
                        kernels::MatRef::new(s1, rows, 8, 8, 1),
                        kernels::MatRef::new(p2, 8, 8, 8, 1),
                        false,
                    );
                    /// `add` (model.rs:7), `add` (model.rs:22), `tanh` (model.rs:22), `scan` (model.rs:22)
                    kernels::dispatch(Loop7AddAddTanh {
                        input0: p3,
                        output0: s5,
                        input1: s0,
                        output1: s4,
                        dim_T,
                        turn0: dim_t0,
                        rows,
                    });
                    /// `scan` (model.rs:22)
                    kernels::dispatch(Loop8Copy {
                        input0: s1,
                        output0: s3,
                        dim_T,
                        turn0: dim_t0,
                        rows,
                    });
                    /// `scan` (model.rs:22)
                    kernels::dispatch(Loop9Copy {
                        input0: s5,
                        output0: s1,
                        rows,
                    });
                }
                /// `sub` (model.rs:27), `sum_squares` (model.rs:27), `recurrent` (model.rs:26)
                kernels::dispatch(Loop10SubSquareSumMul {
                    output0: s4,
                    input0: &x1[first * 8 * dim_T..],
                    output1: a9,
                    input1: w0,
                    dim_T,
                    rows,
                });
                /// `y` (model.rs:6)
                kernels::matmul(
                    kernels::MatMut::new(s6, rows * dim_T, 8, 8, 1),
                    kernels::MatRef::new(s3, rows * dim_T, 8, 8, 1),
                    kernels::MatRef::new(p2, 8, 8, 8, 1),
                    false,
                );
                /// `add` (model.rs:7), `add` (model.rs:22), `tanh` (model.rs:22)
                kernels::dispatch(Loop11AddAddTanhSquare {
                    input0: s6,
                    input1: p3,
                    output0: s0,
                    dim_T,
                    rows,
                });
                /// `scan` (model.rs:22)
                for dim_t1 in (0..dim_T).rev() {
                    /// `scan` (model.rs:22), `tanh` (model.rs:22)
                    kernels::dispatch(Loop12AddMul {
                        input0: s2,
                        input1: s4,
                        input2: s0,
                        output0: s1,
                        output1: s6,
                        dim_T,
                        turn0: dim_t1,
                        rows,
                    });
                    /// `y` (model.rs:6)
                    kernels::matmul(
                        kernels::MatMut::new(s5, rows, 8, 8, 1),
                        kernels::MatRef::new(s1, rows, 8, 8, 1),
                        kernels::MatRef::new(p2, 8, 8, 1, 8),
                        false,
                    );
                    /// `scan` (model.rs:22)
                    kernels::dispatch(Loop9Copy {
                        input0: s5,
                        output0: s2,
                        rows,
                    });
                }
                /// `scan` (model.rs:22)
                kernels::matmul(
                    kernels::MatMut::new(a16, 8, 8, 8, 1),
                    kernels::MatRef::new(s3, 8, rows * dim_T, 1, 8),
                    kernels::MatRef::new(s6, rows * dim_T, 8, 8, 1),
                    true,
                );
                /// `y` (model.rs:6)
                kernels::matmul(
                    kernels::MatMut::new(a17, 3, 8, 8, 1),
                    kernels::MatRef::new(
                        kernels::block::rest(x0, first * 3 * dim_T),
                        3,
                        rows * dim_T,
                        1,
                        3,
                    ),
                    kernels::MatRef::new(s6, rows * dim_T, 8, 8, 1),
                    true,
                );
                /// `expand_like` (model.rs:7)
                kernels::dispatch(Loop13Sum {
                    input0: s6,
                    output0: a18,
                    dim_T,
                    rows,
                });
            },
        );
        /// `recurrent` (model.rs:26)
        kernels::dispatch(Loop14Mul {
            input0: lanes0,
            input1: w0,
            output0: m0,
        });
        /// `y` (model.rs:6)
        kernels::dispatch(Loop15Copy {
            input0: &lanes0[65..],
            output0: g0,
        });
        /// `expand_like` (model.rs:7)
        kernels::dispatch(Loop16Copy {
            input0: &lanes0[89..],
            output0: g1,
            output1: g3,
        });
        /// `scan` (model.rs:22)
        kernels::dispatch(Loop17Copy {
            input0: &lanes0[1..],
            output0: g2,
        });
    }
    impl recurrent {
        fn __diabolo_train_workspace_0(dims: &[usize]) -> usize {
            train_workspace(dims)
        }
        fn __diabolo_train_0<F: ::diabolo::kernels::Float>(
            env: ::diabolo::program::Env<'_, F>,
        ) {
            train(env)
        }
    }
};
#[allow(clippy::all, clippy::pedantic, clippy::nursery)]
impl recurrent {
    #[doc(hidden)]
    fn __diabolo_spec(&self) -> ::diabolo::Result<&'static ::diabolo::program::Spec> {
        match () {
            _ => ::core::result::Result::Ok(Self::__diabolo_spec_0()),
        }
    }
    #[doc(hidden)]
    fn __diabolo_hypers(&self) -> ::std::vec::Vec<f64> {
        ::std::vec![]
    }
    #[doc(hidden)]
    fn __diabolo_evaluate_workspace(&self) -> fn(&[usize]) -> usize {
        match () {
            _ => Self::__diabolo_evaluate_workspace_0,
        }
    }
    #[doc(hidden)]
    fn __diabolo_evaluate<F: ::diabolo::kernels::Float>(
        &self,
    ) -> fn(::diabolo::program::Env<'_, F>) {
        match () {
            _ => Self::__diabolo_evaluate_0,
        }
    }
    fn __diabolo_train_workspace(&self) -> fn(&[usize]) -> usize {
        match () {
            _ => Self::__diabolo_train_workspace_0,
        }
    }
    fn __diabolo_train<F: ::diabolo::kernels::Float>(
        &self,
    ) -> fn(::diabolo::program::Env<'_, F>) {
        match () {
            _ => Self::__diabolo_train_0,
        }
    }
}
