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
    /// `sub` (model.rs:38), `sum_squares` (model.rs:38), `convolution` (model.rs:37)
    struct Loop0SubSquareSum<'a, F> {
        input0: &'a [F],
        input1: &'a [F],
        output0: &'a mut [F],
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body
    for Loop0SubSquareSum<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop0SubSquareSum { input0, input1, output0, rows } = self;
            let mut sum4 = [F::ZERO; 64];
            let mut at = 0;
            while at < rows * 32 {
                let len = 64.min(rows * 32 - at);
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
    /// `convolution` (model.rs:37)
    struct Loop1RecipMul<'a, F> {
        input0: &'a [F],
        output0: &'a mut [F],
        dim_B: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body
    for Loop1RecipMul<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop1RecipMul { input0, output0, dim_B } = self;
            let v0 = F::from_usize(dim_B);
            let v2 = input0[0];
            let v1 = F::ONE / v0;
            let v3 = v2 * v1;
            output0[0] = v3;
        }
    }
    /// `convolution` (model.rs:37)
    struct Loop2Recip<'a, F> {
        output0: &'a mut [F],
        dim_B: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop2Recip<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop2Recip { output0, dim_B } = self;
            let v0 = F::from_usize(dim_B);
            let v1 = F::ONE / v0;
            output0[0] = v1;
        }
    }
    /// `sub` (model.rs:38), `sum_squares` (model.rs:38), `convolution` (model.rs:37)
    struct Loop3SubSquareSumMul<'a, F> {
        output0: &'a mut [F],
        input0: &'a [F],
        output1: &'a mut [F],
        input1: &'a [F],
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body
    for Loop3SubSquareSumMul<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop3SubSquareSumMul { output0, input0, output1, input1, rows } = self;
            let mut sum4 = [F::ZERO; 64];
            let v5 = input1[0];
            let v7 = F::from_f64(2.0);
            let mut at = 0;
            while at < rows * 32 {
                let len = 64.min(rows * 32 - at);
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
    /// `convolution` (model.rs:37)
    struct Loop4Mul<'a, F> {
        input0: &'a [F],
        input1: &'a [F],
        output0: &'a mut [F],
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop4Mul<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop4Mul { input0, input1, output0 } = self;
            let v0 = input0[0];
            let v1 = input1[0];
            let v2 = v0 * v1;
            output0[0] = v2;
        }
    }
    /// `einsum` (model.rs:33)
    struct Loop5Copy<'a, F> {
        input0: &'a [F],
        output0: &'a mut [F],
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop5Copy<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop5Copy { input0, output0 } = self;
            let in0: [F; 12] = block::load(input0, 0, 12);
            let mut out1 = [F::ZERO; 12];
            for l in 0..12 {
                let v0 = in0[l];
                out1[l] = v0;
            }
            block::store(output0, 0, 12, &out1);
        }
    }
    /// The parts of the arena, how the batch is cut, and the scratch of each stage.
    #[allow(unused_variables, unused_parens, non_snake_case, clippy::all)]
    fn evaluate_layout(
        dims: &[usize],
    ) -> ([usize; 2], [::diabolo::kernels::Tiling; 1], [usize; 1]) {
        use ::diabolo::kernels;
        let dim_B = dims[0];
        let tilings: [kernels::Tiling; 1] = [kernels::Tiling::plan(dim_B, 128, 320, 4)];
        let scratches: [usize; 1] = [tilings[0].lanes * tilings[0].tile * 32];
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
        let (slots, tilings, scratches) = evaluate_layout(dims);
        /// x
        let (x0, inputs) = inputs.split_at(10 * dim_B);
        /// y
        let (x1, inputs) = inputs.split_at(32 * dim_B);
        /// filter.kernel
        let p0 = &params[offsets[0]..][..12];
        /// loss
        let (m0, metrics) = metrics.split_at_mut(1);
        let (lanes0, work) = work.split_at_mut(slots[0]);
        let (scratch, work) = work.split_at_mut(slots[1]);
        /// Stage 1, by tiles of rows: `einsum` (model.rs:33), `sub` (model.rs:38), `sum_squares` (model.rs:38), `convolution` (model.rs:37).
        kernels::stage(
            tilings[0],
            &mut scratch[..scratches[0]],
            lanes0,
            [],
            |tile| {
                let kernels::Tile { first, rows, scratch, acc, full: [] } = tile;
                let height = tilings[0].tile;
                let (s0, scratch) = scratch.split_at_mut(height * 32);
                let (a1, acc) = acc.split_at_mut(1);
                /// `einsum` (model.rs:33)
                kernels::matmul_sliding(
                    kernels::SlideMut::new(
                        s0,
                        kernels::Axes::new(&[(4, 8)]),
                        kernels::Axes::new(&[(rows, 32), (8, 1)]),
                    ),
                    kernels::MatRef::new(p0, 4, 3, 3, 1),
                    kernels::SlideRef::new(
                        &x0[first * 10..],
                        kernels::Axes::new(&[(3, 1)]),
                        kernels::Axes::new(&[(rows, 10), (8, 1)]),
                    ),
                    false,
                );
                /// `sub` (model.rs:38), `sum_squares` (model.rs:38), `convolution` (model.rs:37)
                kernels::dispatch(Loop0SubSquareSum {
                    input0: s0,
                    input1: &x1[first * 32..],
                    output0: a1,
                    rows,
                });
            },
        );
        /// `convolution` (model.rs:37)
        kernels::dispatch(Loop1RecipMul {
            input0: lanes0,
            output0: m0,
            dim_B,
        });
    }
    impl convolution {
        fn __diabolo_spec_0() -> &'static ::diabolo::program::Spec {
            static SPEC: ::diabolo::program::Spec = ::diabolo::program::Spec {
                name: "convolution",
                file: "model.rs",
                line: 37u32,
                symbols: &["B"],
                least: &[],
                inputs: &[
                    ::diabolo::program::SlotSpec {
                        name: "x",
                        rows: true,
                        shape: &[
                            ::diabolo::program::Axis::Known(1usize),
                            ::diabolo::program::Axis::Known(10usize),
                        ],
                        index: None,
                    },
                    ::diabolo::program::SlotSpec {
                        name: "y",
                        rows: true,
                        shape: &[
                            ::diabolo::program::Axis::Known(4usize),
                            ::diabolo::program::Axis::Known(8usize),
                        ],
                        index: None,
                    },
                ],
                outputs: &[],
                hypers: &[],
                params: &[
                    ::diabolo::program::ParamSpec {
                        path: "filter.kernel",
                        network: 0usize,
                        shape: &[4usize, 1usize, 3usize],
                        initial: ::diabolo::program::Initial::Uniform(
                            0.5773502691896258f64,
                        ),
                        state: false,
                    },
                ],
                networks: &[
                    ::diabolo::program::NetworkSpec {
                        name: "filter",
                        identities: || {
                            ::std::vec![
                                < convolution as ::diabolo::program::Declared > ::identity(&
                                [0usize])
                            ]
                        },
                    },
                ],
                metrics: &[],
                trained: &[0usize],
                states: &[],
                inspects: &[],
                crosses_rows: false,
                random: false,
                plan: "costs assume B = 128, and 32 for other sizes that only a run fixes\non one thread\n  loop 1: recip () -> w0                                     // convolution\nstage 1, by tiles of rows: a row keeps 32 elements (scratch 32) and takes 576 flops; a lane sums 13\n  product 4 × rows·8 × 3: s0 = filter.kernel · x             // einsum\n  loop rows * 32: sub square mul mul (s0, y, w0) -> sum lane0, s0 // sub, sum_squares, convolution\n  product 8 of 3 × 4 × rows: lane1 += x · s0                 // einsum\non one thread\n  loop 1: mul (lane0, w0) -> loss                            // convolution\n  loop 12: copy (lane1) -> grad filter.kernel                // einsum\nw0: 1\n",
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
        let tilings: [kernels::Tiling; 1] = [kernels::Tiling::plan(dim_B, 128, 576, 52)];
        let scratches: [usize; 1] = [tilings[0].lanes * tilings[0].tile * 32];
        (
            [16, tilings[0].lanes * 16, scratches.into_iter().max().unwrap_or(0)],
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
        let (slots, tilings, scratches) = train_layout(dims);
        /// x
        let (x0, inputs) = inputs.split_at(10 * dim_B);
        /// y
        let (x1, inputs) = inputs.split_at(32 * dim_B);
        /// filter.kernel
        let p0 = &params[offsets[0]..][..12];
        /// grad filter.kernel
        let (g0, grads) = grads.split_at_mut(12);
        /// loss
        let (m0, metrics) = metrics.split_at_mut(1);
        let (w0, work) = work.split_at_mut(slots[0]);
        let (lanes0, work) = work.split_at_mut(slots[1]);
        let (scratch, work) = work.split_at_mut(slots[2]);
        /// `convolution` (model.rs:37)
        kernels::dispatch(Loop2Recip { output0: w0, dim_B });
        /// Stage 1, by tiles of rows: `einsum` (model.rs:33), `sub` (model.rs:38), `sum_squares` (model.rs:38), `convolution` (model.rs:37).
        kernels::stage(
            tilings[0],
            &mut scratch[..scratches[0]],
            lanes0,
            [],
            |tile| {
                let kernels::Tile { first, rows, scratch, acc, full: [] } = tile;
                let height = tilings[0].tile;
                let (s0, scratch) = scratch.split_at_mut(height * 32);
                let (a2, acc) = acc.split_at_mut(1);
                let (a4, acc) = acc.split_at_mut(12);
                /// `einsum` (model.rs:33)
                kernels::matmul_sliding(
                    kernels::SlideMut::new(
                        s0,
                        kernels::Axes::new(&[(4, 8)]),
                        kernels::Axes::new(&[(rows, 32), (8, 1)]),
                    ),
                    kernels::MatRef::new(p0, 4, 3, 3, 1),
                    kernels::SlideRef::new(
                        &x0[first * 10..],
                        kernels::Axes::new(&[(3, 1)]),
                        kernels::Axes::new(&[(rows, 10), (8, 1)]),
                    ),
                    false,
                );
                /// `sub` (model.rs:38), `sum_squares` (model.rs:38), `convolution` (model.rs:37)
                kernels::dispatch(Loop3SubSquareSumMul {
                    output0: s0,
                    input0: &x1[first * 32..],
                    output1: a2,
                    input1: w0,
                    rows,
                });
                /// `einsum` (model.rs:33)
                for i0 in 0..8 {
                    kernels::matmul(
                        kernels::MatMut::new(a4, 3, 4, 1, 3),
                        kernels::MatRef::new(&x0[first * 10 + i0..], 3, rows, 1, 10),
                        kernels::MatRef::new(&s0[i0..], rows, 4, 32, 8),
                        true,
                    );
                }
            },
        );
        /// `convolution` (model.rs:37)
        kernels::dispatch(Loop4Mul {
            input0: lanes0,
            input1: w0,
            output0: m0,
        });
        /// `einsum` (model.rs:33)
        kernels::dispatch(Loop5Copy {
            input0: &lanes0[1..],
            output0: g0,
        });
    }
    impl convolution {
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
impl convolution {
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
