// Products on tensor cores, where a user has named TF32 or bfloat16. In: as product.cuh. Out: factors rounded to 10 or 7 bits
// of mantissa, to nearest; products exact, sums in float32. Never: chosen for float32.

/// Factors in TF32, ties away from zero.
struct ProductTf32 {
    typedef unsigned int Word;
    static constexpr int PER = 1;
    static __device__ __forceinline__ unsigned int word(const T *value) {
#ifdef DIABOLO_EMULATOR
        const unsigned int bits = __float_as_uint(value[0]);
        return value[0] != value[0] ? 0x7fffffffu : (bits + 0x1000u) & ~0x1fffu;
#else
        unsigned int bits;
        asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value[0]));
        return bits;
#endif
    }
    /// sum += a·b, 16 × 8 times 8 × 8, over the threads of a warp.
    static __device__ __forceinline__ void multiply(T (&sum)[4], const unsigned int (&a)[4], const unsigned int (&b)[2]) {
#ifdef DIABOLO_EMULATOR
        emulator_tensor<PER>(sum, a, b);
#else
        asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                     "{%0, %1, %2, %3};"
                     : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
    }
};

/// Factors in bfloat16, ties to even; a word holds two neighbours in k, the first in its low half.
struct ProductBf16 {
    typedef unsigned int Word;
    static constexpr int PER = 2;
    static __device__ __forceinline__ unsigned int word(const T *value) {
        return bfloat16_pair(value[0], value[1]);
    }
    /// sum += a·b, 16 × 16 times 16 × 8, over the threads of a warp.
    static __device__ __forceinline__ void multiply(T (&sum)[4], const unsigned int (&a)[4], const unsigned int (&b)[2]) {
#ifdef DIABOLO_EMULATOR
        emulator_tensor<PER>(sum, a, b);
#else
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                     "{%0, %1, %2, %3};"
                     : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
    }
};

/// A tile on tensor cores: `TALL` × `BROAD` results, of which a warp has `WM` × `WN`, in pieces of 16 × 8. A thread's
/// results lie two by two: rows 8 apart, columns beside each other (PTX ISA, "Matrix Fragments for mma.m16n8k8").
template <int TALL, int BROAD, int WM, int WN, class Kind> struct ProductTensor {
    typedef Kind Number;
    static constexpr int M = TALL, N = BROAD, DEEP = 16, ROWS = WM / 8, COLS = WN / 4;
    static constexpr int THREADS = 32 * (TALL / WM) * (BROAD / WN);
    /// Eight words more: the 32 loads of a piece fall into 32 banks.
    static constexpr int PAD = 8;

    static __device__ __forceinline__ int warp_row() {
        return threadIdx.x / 32 / (BROAD / WN) * WM + threadIdx.x % 32 / 4;
    }
    static __device__ __forceinline__ int warp_col() {
        return threadIdx.x / 32 % (BROAD / WN) * WN;
    }
    static __device__ __forceinline__ int row(int i) {
        return warp_row() + 8 * i;
    }
    static __device__ __forceinline__ int col(int j) {
        return warp_col() + j / 2 * 8 + threadIdx.x % 4 * 2 + j % 2;
    }
    template <class A, class B> static __device__ __forceinline__ void multiply(T (&sum)[ROWS][COLS], const A &a, const B &b) {
        const int deep = threadIdx.x % 4, row_first = warp_row(), col_first = warp_col() + threadIdx.x % 32 / 4;
#pragma unroll
        for (int q = 0; q < DEEP; q += 8) {
            unsigned int right[WN / 8][2];
#pragma unroll
            for (int j = 0; j < WN / 8; j++) {
                right[j][0] = b[q + deep][col_first + 8 * j];
                right[j][1] = b[q + deep + 4][col_first + 8 * j];
            }
#pragma unroll
            for (int i = 0; i < WM / 16; i++) {
                const int at = row_first + 16 * i;
                const unsigned int left[4] = {a[q + deep][at], a[q + deep][at + 8], a[q + deep + 4][at],
                                              a[q + deep + 4][at + 8]};
#pragma unroll
                for (int j = 0; j < WN / 8; j++) {
                    T piece[4] = {sum[2 * i][2 * j], sum[2 * i][2 * j + 1], sum[2 * i + 1][2 * j],
                                  sum[2 * i + 1][2 * j + 1]};
                    Kind::multiply(piece, left, right[j]);
                    sum[2 * i][2 * j] = piece[0];
                    sum[2 * i][2 * j + 1] = piece[1];
                    sum[2 * i + 1][2 * j] = piece[2];
                    sum[2 * i + 1][2 * j + 1] = piece[3];
                }
            }
        }
    }
};

extern "C" __global__ void __launch_bounds__(256, 1) product_tf32_large(PRODUCT_ARGUMENTS) {
    const ProductShape shape = PRODUCT_SHAPE;
    product_tile<ProductTensor<128, 128, 64, 32, ProductTf32>>(c, a, b, shape);
}

extern "C" __global__ void __launch_bounds__(128, 3) product_tf32_small(PRODUCT_ARGUMENTS) {
    const ProductShape shape = PRODUCT_SHAPE;
    product_tile<ProductTensor<64, 64, 32, 32, ProductTf32>>(c, a, b, shape);
}

extern "C" __global__ void __launch_bounds__(256, 1) product_bf16_large(PRODUCT_ARGUMENTS) {
    const ProductShape shape = PRODUCT_SHAPE;
    product_tile<ProductTensor<128, 128, 64, 32, ProductBf16>>(c, a, b, shape);
}

extern "C" __global__ void __launch_bounds__(128, 3) product_bf16_small(PRODUCT_ARGUMENTS) {
    const ProductShape shape = PRODUCT_SHAPE;
    product_tile<ProductTensor<64, 64, 32, 32, ProductBf16>>(c, a, b, shape);
}
