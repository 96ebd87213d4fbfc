// The general matrix product. In: factors and a result, each index of any axes. Out: c = a·b, or c += a·b, f32 fused and in
// the order of k. Never: an order of sums that depends on anything but the shape; `cuda::product` plans the launches.
//
// A block computes a tile of c. Tiles of a and b pass through shared memory, the next ones under way while the present ones
// are multiplied; where a position of m, n or k lies is decoded once, not for every load.

/// An index of up to four axes, the first slowest; those that are not used have extent 1.
struct ProductAxes {
    long long size[4];
    /// The strides in the two arrays that it walks over.
    long long one[4], two[4];
};

/// What a product's launch is given.
struct ProductShape {
    ProductAxes outer, m, n, k;
    /// The strides of `outer` in c.
    long long outer_c[4];
    /// The extents of the indices.
    long long rows, cols, depth;
    /// What a block sums of k; how far apart the results of such parts lie.
    long long part, part_stride;
    bool accumulate, a_along_k, b_along_k;
};

/// Where position `i` of an index lies in the two arrays.
DEVICE void product_place(unsigned int i, const ProductAxes &axes, long long *one, long long *two) {
    long long at_one = 0, at_two = 0;
#pragma unroll
    for (int axis = 3; axis > 0; axis--) {
        const unsigned int size = (unsigned int)axes.size[axis];
        if (size != 1u) {
            const unsigned int along = i % size;
            i /= size;
            at_one += along * axes.one[axis];
            at_two += along * axes.two[axis];
        }
    }
    *one = at_one + i * axes.one[0];
    *two = at_two + i * axes.two[0];
}

/// `COUNT` neighbours in shared memory, 2 or 4.
template <int COUNT> DEVICE void product_load(T *to, const T *from) {
    if (COUNT == 2) {
        const float2 values = *(const float2 *)from;
        to[0] = values.x;
        to[1] = values.y;
    } else {
        const float4 values = *(const float4 *)from;
        to[0] = values.x;
        to[1] = values.y;
        to[COUNT - 2] = values.z;
        to[COUNT - 1] = values.w;
    }
}

/// A tile of `WIDE` positions by `DEEP` of k, on its way to shared memory.
template <int WIDE, int DEEP, int THREADS> struct ProductLoads {
    static constexpr int COUNT = WIDE * DEEP / THREADS;
    /// Where the positions lie; below 0 where there are none.
    long long at[COUNT];
    T value[COUNT];

    static __device__ __forceinline__ int wide(int i, bool along_k) {
        const int element = threadIdx.x + i * THREADS;
        return along_k ? element / DEEP : element % WIDE;
    }
    static __device__ __forceinline__ int deep(int i, bool along_k) {
        const int element = threadIdx.x + i * THREADS;
        return along_k ? element % DEEP : element / WIDE;
    }
    /// Fetches a tile: `steps` says where each position of k lies, below 0 where there is none.
    __device__ __forceinline__ void fetch(const T *from, const long long *steps, bool along_k) {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            const long long step = steps[deep(i, along_k)];
            value[i] = at[i] >= 0 && step >= 0 ? from[at[i] + step] : T(0);
        }
    }
    /// Puts it into shared memory.
    __device__ __forceinline__ void put(T (*tile)[WIDE + 4], bool along_k) const {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            tile[deep(i, along_k)][wide(i, along_k)] = value[i];
        }
    }
};

/// A tile of `M` × `N` results, `TM` × `TN` of each thread, `K` positions of k at a time.
template <int M, int N, int K, int TM, int TN> DEVICE void product_tile(T *c, const T *a, const T *b, const ProductShape &shape) {
    constexpr int THREADS = (M / TM) * (N / TN);
    // A thread's results lie in groups of up to four neighbours.
    constexpr int GM = TM < 4 ? TM : 4, GN = TN < 4 ? TN : 4;
    __shared__ __align__(16) T tile_a[2][K][M + 4];
    __shared__ __align__(16) T tile_b[2][K][N + 4];
    __shared__ long long step_a[2][K], step_b[2][K];

    // Which tile: columns fastest, then rows, outer, parts of k.
    const unsigned int tiles_n = (unsigned int)((shape.cols + N - 1) / N), tiles_m = (unsigned int)((shape.rows + M - 1) / M);
    unsigned int block = blockIdx.x;
    const unsigned int first_n = block % tiles_n * N;
    block /= tiles_n;
    const unsigned int first_m = block % tiles_m * M;
    block /= tiles_m;
    const unsigned int outers = (unsigned int)(shape.outer.size[0] * shape.outer.size[1] * shape.outer.size[2] * shape.outer.size[3]);
    const unsigned int outer = block % outers, part = block / outers;
    long long outer_a, outer_b, unused;
    product_place(outer, shape.outer, &outer_a, &outer_b);
    a += outer_a;
    b += outer_b;
    const unsigned int depth = (unsigned int)shape.depth, part_first = part * (unsigned int)shape.part;
    const unsigned int end = depth - part_first < (unsigned int)shape.part ? depth : part_first + (unsigned int)shape.part;

    ProductLoads<M, K, THREADS> loads_a;
    ProductLoads<N, K, THREADS> loads_b;
#pragma unroll
    for (int i = 0; i < loads_a.COUNT; i++) {
        const unsigned int row = first_m + loads_a.wide(i, shape.a_along_k);
        loads_a.at[i] = -1;
        if (row < (unsigned int)shape.rows) {
            product_place(row, shape.m, &loads_a.at[i], &unused);
        }
    }
#pragma unroll
    for (int i = 0; i < loads_b.COUNT; i++) {
        const unsigned int col = first_n + loads_b.wide(i, shape.b_along_k);
        loads_b.at[i] = -1;
        if (col < (unsigned int)shape.cols) {
            product_place(col, shape.n, &loads_b.at[i], &unused);
        }
    }
    T sum[TM][TN];
#pragma unroll
    for (int i = 0; i < TM; i++) {
#pragma unroll
        for (int j = 0; j < TN; j++) {
            sum[i][j] = T(0);
        }
    }

    // Where the positions of a chunk of k lie.
    auto decode = [&](unsigned int first, int buffer) {
        if (threadIdx.x < K) {
            const unsigned int p = first + threadIdx.x;
            long long one = -1, two = -1;
            if (p < end) {
                product_place(p, shape.k, &one, &two);
            }
            step_a[buffer][threadIdx.x] = one;
            step_b[buffer][threadIdx.x] = two;
        }
    };
    const unsigned int row = threadIdx.x / (N / TN), col = threadIdx.x % (N / TN);
    int now = 0;
    decode(part_first, 0);
    __syncthreads();
    loads_a.fetch(a, step_a[0], shape.a_along_k);
    loads_b.fetch(b, step_b[0], shape.b_along_k);
    loads_a.put(tile_a[0], shape.a_along_k);
    loads_b.put(tile_b[0], shape.b_along_k);
    decode(part_first + K, 1);
    __syncthreads();
    for (unsigned int p = part_first; p < end; p += K) {
        const bool more = end - p > K;
        if (more) {
            loads_a.fetch(a, step_a[now ^ 1], shape.a_along_k);
            loads_b.fetch(b, step_b[now ^ 1], shape.b_along_k);
        }
#pragma unroll
        for (int q = 0; q < K; q++) {
            T left[TM], right[TN];
#pragma unroll
            for (int g = 0; g < TM / GM; g++) {
                product_load<GM>(left + g * GM, &tile_a[now][q][g * (M / (TM / GM)) + row * GM]);
            }
#pragma unroll
            for (int g = 0; g < TN / GN; g++) {
                product_load<GN>(right + g * GN, &tile_b[now][q][g * (N / (TN / GN)) + col * GN]);
            }
#pragma unroll
            for (int i = 0; i < TM; i++) {
#pragma unroll
                for (int j = 0; j < TN; j++) {
                    sum[i][j] = fmaf(left[i], right[j], sum[i][j]);
                }
            }
        }
        if (more) {
            loads_a.put(tile_a[now ^ 1], shape.a_along_k);
            loads_b.put(tile_b[now ^ 1], shape.b_along_k);
            decode(p + 2 * K, now);
        }
        __syncthreads();
        now ^= 1;
    }

    // The outer index lies in c by strides of its own.
    const ProductAxes outer_c = {{shape.outer.size[0], shape.outer.size[1], shape.outer.size[2], shape.outer.size[3]},
                                 {shape.outer_c[0], shape.outer_c[1], shape.outer_c[2], shape.outer_c[3]},
                                 {0, 0, 0, 0}};
    long long start;
    product_place(outer, outer_c, &start, &unused);
    start += part * shape.part_stride;
    long long place_n[TN];
#pragma unroll
    for (int j = 0; j < TN; j++) {
        const unsigned int to = first_n + j / GN * (N / (TN / GN)) + col * GN + j % GN;
        place_n[j] = -1;
        if (to < (unsigned int)shape.cols) {
            product_place(to, shape.n, &unused, &place_n[j]);
        }
    }
#pragma unroll
    for (int i = 0; i < TM; i++) {
        const unsigned int to = first_m + i / GM * (M / (TM / GM)) + row * GM + i % GM;
        if (to >= (unsigned int)shape.rows) {
            continue;
        }
        long long place_m;
        product_place(to, shape.m, &unused, &place_m);
        T *line = c + start + place_m;
#pragma unroll
        for (int j = 0; j < TN; j++) {
            if (place_n[j] >= 0) {
                line[place_n[j]] = shape.accumulate ? line[place_n[j]] + sum[i][j] : sum[i][j];
            }
        }
    }
}

#define PRODUCT_FOUR(name) long long name##0, long long name##1, long long name##2, long long name##3
#define PRODUCT_GIVEN(name) {name##0, name##1, name##2, name##3}
#define PRODUCT_EXTENT(name) name##0 *name##1 *name##2 *name##3
/// Sizes of outer, m, n and k, each with its strides in the arrays that it walks over.
#define PRODUCT_ARGUMENTS                                                                                              \
    T *c, const T *a, const T *b, PRODUCT_FOUR(os), PRODUCT_FOUR(oa), PRODUCT_FOUR(ob), PRODUCT_FOUR(oc),              \
        PRODUCT_FOUR(ms), PRODUCT_FOUR(ma), PRODUCT_FOUR(mc), PRODUCT_FOUR(ns), PRODUCT_FOUR(nb), PRODUCT_FOUR(nc),    \
        PRODUCT_FOUR(ks), PRODUCT_FOUR(ka), PRODUCT_FOUR(kb), long long part, long long part_stride,                   \
        long long accumulate, long long a_along_k, long long b_along_k
#define PRODUCT_SHAPE                                                                                                  \
    {                                                                                                                  \
        {PRODUCT_GIVEN(os), PRODUCT_GIVEN(oa), PRODUCT_GIVEN(ob)}, {PRODUCT_GIVEN(ms), PRODUCT_GIVEN(ma), PRODUCT_GIVEN(mc)}, \
            {PRODUCT_GIVEN(ns), PRODUCT_GIVEN(nb), PRODUCT_GIVEN(nc)}, {PRODUCT_GIVEN(ks), PRODUCT_GIVEN(ka), PRODUCT_GIVEN(kb)}, \
            PRODUCT_GIVEN(oc), PRODUCT_EXTENT(ms), PRODUCT_EXTENT(ns), PRODUCT_EXTENT(ks), part, part_stride,          \
            accumulate != 0, a_along_k != 0, b_along_k != 0                                                            \
    }

extern "C" __global__ void __launch_bounds__(256, 2) product_large(PRODUCT_ARGUMENTS) {
    const ProductShape shape = PRODUCT_SHAPE;
    product_tile<128, 128, 8, 8, 8>(c, a, b, shape);
}

extern "C" __global__ void __launch_bounds__(256, 3) product_middle(PRODUCT_ARGUMENTS) {
    const ProductShape shape = PRODUCT_SHAPE;
    product_tile<64, 64, 16, 4, 4>(c, a, b, shape);
}

extern "C" __global__ void __launch_bounds__(256, 4) product_small(PRODUCT_ARGUMENTS) {
    const ProductShape shape = PRODUCT_SHAPE;
    product_tile<32, 32, 32, 2, 2>(c, a, b, shape);
}

/// Adds parts of a product, which lie one after the other in the order outer, m, n, in order: each place of c, an index of
/// up to twelve axes, becomes their sum; or that is added to it.
extern "C" __global__ void product_parts(T *c, const T *values, long long count, long long parts, long long accumulate,
                                         PRODUCT_FOUR(os), PRODUCT_FOUR(oc), PRODUCT_FOUR(ms), PRODUCT_FOUR(mc),
                                         PRODUCT_FOUR(ns), PRODUCT_FOUR(nc)) {
    const ProductAxes outer = {PRODUCT_GIVEN(os), PRODUCT_GIVEN(oc), {0, 0, 0, 0}};
    const ProductAxes m = {PRODUCT_GIVEN(ms), PRODUCT_GIVEN(mc), {0, 0, 0, 0}};
    const ProductAxes n = {PRODUCT_GIVEN(ns), PRODUCT_GIVEN(nc), {0, 0, 0, 0}};
    const long long rows = ms0 * ms1 * ms2 * ms3, cols = ns0 * ns1 * ns2 * ns3;
    for (long long i = grid_start(); i < count; i += grid_step()) {
        T sum = T(0);
        for (long long p = 0; p < parts; p++) {
            sum += values[p * count + i];
        }
        const long long line = i / cols;
        long long at_outer, at_m, at_n, unused;
        product_place((unsigned int)(line / rows), outer, &at_outer, &unused);
        product_place((unsigned int)(line % rows), m, &at_m, &unused);
        product_place((unsigned int)(i % cols), n, &at_n, &unused);
        T *place = c + at_outer + at_m + at_n;
        *place = accumulate != 0 ? *place + sum : sum;
    }
}
