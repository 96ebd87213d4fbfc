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
    /// `add` (model.rs:7), `relu` (model.rs:12), `sub` (model.rs:17), `sum_squares` (model.rs:17), `linear` (model.rs:16)
    struct Loop0AddReluSubSquare<'a, F> {
        input0: &'a [F],
        input1: &'a [F],
        input2: &'a [F],
        output0: &'a mut [F],
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body
    for Loop0AddReluSubSquare<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop0AddReluSubSquare { input0, input1, input2, output0, rows } = self;
            for i0 in 0..rows {
                let start0 = i0 * 20;
                let in0: [F; 20] = block::load(input0, start0, 20);
                let in1: [F; 20] = block::load(input1, 0, 20);
                let in4: [F; 20] = block::load(input2, start0, 20);
                let mut out7 = [F::ZERO; 20];
                for l in 0..20 {
                    let v0 = in0[l];
                    let v1 = in1[l];
                    let v2 = v0 + v1;
                    let v3 = math::max::<I, F>(v2, F::ZERO);
                    let v4 = in4[l];
                    let v5 = v3 - v4;
                    let v6 = v5 * v5;
                    out7[l] = v6;
                }
                let total7 = block::sum(&out7, 20);
                output0[0] += total7;
            }
        }
    }
    /// `linear` (model.rs:16)
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
    /// `linear` (model.rs:16)
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
    /// `add` (model.rs:7), `relu` (model.rs:12), `sub` (model.rs:17), `sum_squares` (model.rs:17), `linear` (model.rs:16), `expand_like` (model.rs:7)
    struct Loop3AddReluSubSquare<'a, F> {
        output0: &'a mut [F],
        input0: &'a [F],
        input1: &'a [F],
        output1: &'a mut [F],
        input2: &'a [F],
        output2: &'a mut [F],
        rows: usize,
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body
    for Loop3AddReluSubSquare<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop3AddReluSubSquare {
                output0,
                input0,
                input1,
                output1,
                input2,
                output2,
                rows,
            } = self;
            for i0 in 0..rows {
                let start0 = i0 * 20;
                let v8 = input2[0];
                let v10 = F::ZERO;
                let v13 = F::from_f64(2.0);
                let in0: [F; 20] = block::load(output0, start0, 20);
                let in1: [F; 20] = block::load(input0, 0, 20);
                let in4: [F; 20] = block::load(input1, start0, 20);
                let mut out7 = [F::ZERO; 20];
                let mut out15 = [F::ZERO; 20];
                let in16: [F; 20] = block::load(output2, 0, 20);
                let mut out16 = [F::ZERO; 20];
                for l in 0..20 {
                    let v0 = in0[l];
                    let v1 = in1[l];
                    let v2 = v0 + v1;
                    let v3 = math::max::<I, F>(v2, F::ZERO);
                    let v4 = in4[l];
                    let v5 = v3 - v4;
                    let v6 = v5 * v5;
                    out7[l] = v6;
                    let v9 = v5 * v8;
                    let v11 = math::gt::<I, F>(v3, v10);
                    let v12 = v9 * v11;
                    let v14 = v12 * v13;
                    out15[l] = v14;
                    out16[l] = in16[l] + v14;
                }
                let total7 = block::sum(&out7, 20);
                block::store(output0, start0, 20, &out15);
                block::store(output2, 0, 20, &out16);
                output1[0] += total7;
            }
        }
    }
    /// `linear` (model.rs:16)
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
    /// `y` (model.rs:6)
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
            let mut at = 0;
            while at < 400 {
                let in0: [F; 80] = block::load(input0, at, 80);
                let mut out1 = [F::ZERO; 80];
                for l in 0..80 {
                    let v0 = in0[l];
                    out1[l] = v0;
                }
                block::store(output0, at, 80, &out1);
                at += 80;
            }
        }
    }
    /// `expand_like` (model.rs:7)
    struct Loop6Copy<'a, F> {
        input0: &'a [F],
        output0: &'a mut [F],
    }
    impl<F: ::diabolo::kernels::Float> ::diabolo::kernels::Body for Loop6Copy<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<I: ::diabolo::kernels::Isa>(self) {
            use ::diabolo::kernels::{block, math, random};
            let Loop6Copy { input0, output0 } = self;
            let in0: [F; 20] = block::load(input0, 0, 20);
            let mut out1 = [F::ZERO; 20];
            for l in 0..20 {
                let v0 = in0[l];
                out1[l] = v0;
            }
            block::store(output0, 0, 20, &out1);
        }
    }
    /// The parts of the arena, how the batch is cut, and the scratch of each stage.
    #[allow(unused_variables, unused_parens, non_snake_case, clippy::all)]
    fn evaluate_layout(
        dims: &[usize],
    ) -> ([usize; 2], [::diabolo::kernels::Tiling; 1], [usize; 1]) {
        use ::diabolo::kernels;
        let dim_B = dims[0];
        let tilings: [kernels::Tiling; 1] = [kernels::Tiling::plan(dim_B, 80, 920, 4)];
        let scratches: [usize; 1] = [
            tilings[0].lanes * usize::next_multiple_of(tilings[0].tile * 20, 16),
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
        let (slots, tilings, scratches) = evaluate_layout(dims);
        /// x
        let (x0, inputs) = inputs.split_at(20 * dim_B);
        /// encode.dense0.weight
        let p0 = &params[offsets[0]..][..400];
        /// encode.dense0.bias
        let p1 = &params[offsets[1]..][..20];
        /// loss
        let (m0, metrics) = metrics.split_at_mut(1);
        let (lanes0, work) = work.split_at_mut(slots[0]);
        let (scratch, work) = work.split_at_mut(slots[1]);
        /// Stage 1, by tiles of rows: `y` (model.rs:6), `add` (model.rs:7), `relu` (model.rs:12), `sub` (model.rs:17), `sum_squares` (model.rs:17), `linear` (model.rs:16).
        kernels::stage(
            tilings[0],
            &mut scratch[..scratches[0]],
            lanes0,
            [],
            |tile| {
                let kernels::Tile { first, rows, scratch, acc, full: [] } = tile;
                let height = tilings[0].tile;
                let (s0, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 20, 16));
                let (a1, acc) = acc.split_at_mut(1);
                /// `y` (model.rs:6)
                kernels::matmul(
                    kernels::MatMut::new(s0, rows, 20, 20, 1),
                    kernels::MatRef::new(&x0[first * 20..], rows, 20, 20, 1),
                    kernels::MatRef::new(p0, 20, 20, 20, 1),
                    false,
                );
                /// `add` (model.rs:7), `relu` (model.rs:12), `sub` (model.rs:17), `sum_squares` (model.rs:17), `linear` (model.rs:16)
                kernels::dispatch(Loop0AddReluSubSquare {
                    input0: s0,
                    input1: p1,
                    input2: &x0[first * 20..],
                    output0: a1,
                    rows,
                });
            },
        );
        /// `linear` (model.rs:16)
        kernels::dispatch(Loop1RecipMul {
            input0: lanes0,
            output0: m0,
            dim_B,
        });
    }
    impl linear {
        fn __diabolo_spec_0() -> &'static ::diabolo::program::Spec {
            static SPEC: ::diabolo::program::Spec = ::diabolo::program::Spec {
                name: "linear",
                file: "model.rs",
                line: 16u32,
                symbols: &["B"],
                least: &[],
                inputs: &[
                    ::diabolo::program::SlotSpec {
                        name: "x",
                        rows: true,
                        shape: &[::diabolo::program::Axis::Known(20usize)],
                        index: None,
                    },
                ],
                outputs: &[],
                hypers: &[],
                params: &[
                    ::diabolo::program::ParamSpec {
                        path: "encode.dense0.weight",
                        network: 0usize,
                        shape: &[20usize, 20usize],
                        initial: ::diabolo::program::Initial::Uniform(
                            0.22360679774997896f64,
                        ),
                        state: false,
                    },
                    ::diabolo::program::ParamSpec {
                        path: "encode.dense0.bias",
                        network: 0usize,
                        shape: &[20usize],
                        initial: ::diabolo::program::Initial::Uniform(
                            0.22360679774997896f64,
                        ),
                        state: false,
                    },
                ],
                networks: &[
                    ::diabolo::program::NetworkSpec {
                        name: "encode",
                        identities: || {
                            ::std::vec![
                                < linear as ::diabolo::program::Declared > ::identity(&
                                [0usize])
                            ]
                        },
                    },
                ],
                metrics: &[],
                trained: &[0usize, 1usize],
                states: &[],
                inspects: &[],
                crosses_rows: false,
                random: false,
                plan: "costs assume B = 128, and 32 for other sizes that only a run fixes\non one thread\n  loop 1: recip () -> w0                                     // linear\nstage 1, by tiles of rows: a row keeps 20 elements (scratch 20) and takes 1820 flops; a lane sums 421\n  product rows × 20 × 20: s0 = x · encode.dense0.weight      // y\n  loop rows × 20: add relu sub square mul gt mul mul (s0, encode.dense0.bias, x, w0) -> sum lane0, s0, sum lane1 // add, relu, sub, sum_squares, linear, expand_like\n  product 20 × 20 × rows: lane2 += x · s0                    // y\non one thread\n  loop 1: mul (lane0, w0) -> loss                            // linear\n  loop 400: copy (lane2) -> grad encode.dense0.weight        // y\n  loop 20: copy (lane1) -> grad encode.dense0.bias           // expand_like\nw0: 1\n",
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
        let tilings: [kernels::Tiling; 1] = [
            kernels::Tiling::plan(dim_B, 80, 1820, 1684),
        ];
        let scratches: [usize; 1] = [
            tilings[0].lanes * usize::next_multiple_of(tilings[0].tile * 20, 16),
        ];
        (
            [16, tilings[0].lanes * 432, scratches.into_iter().max().unwrap_or(0)],
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
        let (x0, inputs) = inputs.split_at(20 * dim_B);
        /// encode.dense0.weight
        let p0 = &params[offsets[0]..][..400];
        /// encode.dense0.bias
        let p1 = &params[offsets[1]..][..20];
        /// grad encode.dense0.weight
        let (g0, grads) = grads.split_at_mut(400);
        /// grad encode.dense0.bias
        let (g1, grads) = grads.split_at_mut(20);
        /// loss
        let (m0, metrics) = metrics.split_at_mut(1);
        let (w0, work) = work.split_at_mut(slots[0]);
        let (lanes0, work) = work.split_at_mut(slots[1]);
        let (scratch, work) = work.split_at_mut(slots[2]);
        /// `linear` (model.rs:16)
        kernels::dispatch(Loop2Recip { output0: w0, dim_B });
        /// Stage 1, by tiles of rows: `y` (model.rs:6), `add` (model.rs:7), `relu` (model.rs:12), `sub` (model.rs:17), `sum_squares` (model.rs:17), `linear` (model.rs:16) and 1 more.
        kernels::stage(
            tilings[0],
            &mut scratch[..scratches[0]],
            lanes0,
            [],
            |tile| {
                let kernels::Tile { first, rows, scratch, acc, full: [] } = tile;
                let height = tilings[0].tile;
                let (s0, scratch) = scratch
                    .split_at_mut(usize::next_multiple_of(height * 20, 16));
                let (a2, acc) = acc.split_at_mut(1);
                let (a4, acc) = acc.split_at_mut(20);
                let (a5, acc) = acc.split_at_mut(400);
                /// `y` (model.rs:6)
                kernels::matmul(
                    kernels::MatMut::new(s0, rows, 20, 20, 1),
                    kernels::MatRef::new(&x0[first * 20..], rows, 20, 20, 1),
                    kernels::MatRef::new(p0, 20, 20, 20, 1),
                    false,
                );
                /// `add` (model.rs:7), `relu` (model.rs:12), `sub` (model.rs:17), `sum_squares` (model.rs:17), `linear` (model.rs:16), `expand_like` (model.rs:7)
                kernels::dispatch(Loop3AddReluSubSquare {
                    output0: s0,
                    input0: p1,
                    input1: &x0[first * 20..],
                    output1: a2,
                    input2: w0,
                    output2: a4,
                    rows,
                });
                /// `y` (model.rs:6)
                kernels::matmul(
                    kernels::MatMut::new(a5, 20, 20, 20, 1),
                    kernels::MatRef::new(&x0[first * 20..], 20, rows, 1, 20),
                    kernels::MatRef::new(s0, rows, 20, 20, 1),
                    true,
                );
            },
        );
        /// `linear` (model.rs:16)
        kernels::dispatch(Loop4Mul {
            input0: lanes0,
            input1: w0,
            output0: m0,
        });
        /// `y` (model.rs:6)
        kernels::dispatch(Loop5Copy {
            input0: &lanes0[21..],
            output0: g0,
        });
        /// `expand_like` (model.rs:7)
        kernels::dispatch(Loop6Copy {
            input0: &lanes0[1..],
            output0: g1,
        });
    }
    impl linear {
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
impl linear {
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
