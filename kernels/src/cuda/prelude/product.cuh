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
    /// The outer index again, with its strides in c.
    ProductAxes outer_c;
    /// The extents of the indices.
    long long rows, cols, depth;
    /// What a block sums of k; how far apart the results of such parts lie.
    long long part, part_stride;
    bool accumulate, a_along_k, b_along_k;
};

/// Where position `i` of an index lies in the two arrays.
struct ProductPlace {
    long long one, two;
};
DEVICE ProductPlace product_place(unsigned int i, const ProductAxes &axes) {
    ProductPlace at = {0, 0};
#pragma unroll
    for (int axis = 3; axis > 0; axis--) {
        const unsigned int size = (unsigned int)axes.size[axis];
        if (size != 1u) {
            const unsigned int rest = i / size;
            at.one += (i - rest * size) * axes.one[axis];
            at.two += (i - rest * size) * axes.two[axis];
            i = rest;
        }
    }
    at.one += i * axes.one[0];
    at.two += i * axes.two[0];
    return at;
}

/// Where `COUNT` positions from `first` on lie, each decoded once; -1 from `end` on.
template <int COUNT, int THREADS>
DEVICE void product_places(long long *one, long long *two, unsigned int first, unsigned int end, const ProductAxes &axes) {
#pragma unroll 1
    for (unsigned int i = threadIdx.x; i < COUNT; i += THREADS) {
        ProductPlace at = {-1, -1};
        if (first + i < end) {
            at = product_place(first + i, axes);
        }
        one[i] = at.one;
        two[i] = at.two;
    }
}

/// A tile of `WIDE` positions by `DEEP` words of k, on its way to shared memory. Words hold one or more positions of k.
template <int WIDE, int DEEP, int THREADS, class Number> struct ProductLoads {
    static constexpr int COUNT = WIDE * DEEP / THREADS;
    T value[COUNT][Number::PER];

    static __device__ __forceinline__ int wide(int i, bool along_k) {
        const int word = threadIdx.x + i * THREADS;
        return along_k ? word / DEEP : word % WIDE;
    }
    static __device__ __forceinline__ int deep(int i, bool along_k) {
        const int word = threadIdx.x + i * THREADS;
        return along_k ? word % DEEP : word / WIDE;
    }
    /// Fetches a tile: `places` and `steps` say where each position lies, and each one of k; below 0 where there is none.
    __device__ __forceinline__ void fetch(const T *from, const long long *places, const long long *steps, bool along_k) {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
#pragma unroll
            for (int r = 0; r < Number::PER; r++) {
                const long long place = places[wide(i, along_k)], step = steps[Number::PER * deep(i, along_k) + r];
                value[i][r] = place >= 0 && step >= 0 ? from[place + step] : T(0);
            }
        }
    }
    /// Puts it into shared memory.
    template <class Tile> __device__ __forceinline__ void put(Tile &tile, bool along_k) const {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            tile[deep(i, along_k)][wide(i, along_k)] = Number::word(value[i]);
        }
    }
};

/// Float32.
struct ProductFloat {
    typedef T Word;
    static constexpr int PER = 1;
    static __device__ __forceinline__ T word(const T *value) {
        return value[0];
    }
};

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

/// A tile in float32: `TALL` × `BROAD` results, `DEPTH` positions of k at a time, `TM` × `TN` results of each thread, in
/// groups of up to four neighbours.
template <int TALL, int BROAD, int DEPTH, int TM, int TN> struct ProductCore {
    typedef ProductFloat Number;
    static constexpr int M = TALL, N = BROAD, DEEP = DEPTH, PAD = 4, ROWS = TM, COLS = TN;
    static constexpr int THREADS = (TALL / TM) * (BROAD / TN);
    static constexpr int GM = TM < 4 ? TM : 4, GN = TN < 4 ? TN : 4;

    static __device__ __forceinline__ int row(int i) {
        return i / GM * (TALL / (TM / GM)) + threadIdx.x / (BROAD / TN) * GM + i % GM;
    }
    static __device__ __forceinline__ int col(int j) {
        return j / GN * (BROAD / (TN / GN)) + threadIdx.x % (BROAD / TN) * GN + j % GN;
    }
    /// Adds the products of two tiles to the thread's results.
    template <class A, class B> static __device__ __forceinline__ void multiply(T (&sum)[TM][TN], const A &a, const B &b) {
#pragma unroll
        for (int q = 0; q < DEPTH; q++) {
            T left[TM], right[TN];
#pragma unroll
            for (int i = 0; i < TM; i += GM) {
                product_load<GM>(left + i, &a[q][row(i)]);
            }
#pragma unroll
            for (int j = 0; j < TN; j += GN) {
                product_load<GN>(right + j, &b[q][col(j)]);
            }
#pragma unroll
            for (int i = 0; i < TM; i++) {
#pragma unroll
                for (int j = 0; j < TN; j++) {
                    sum[i][j] = fmaf(left[i], right[j], sum[i][j]);
                }
            }
        }
    }
};

/// Computes the block's tile of c.
template <class Core> DEVICE void product_tile(T *c, const T *a, const T *b, const ProductShape &shape) {
    typedef typename Core::Number Number;
    typedef typename Number::Word Word;
    constexpr int M = Core::M, N = Core::N, DEEP = Core::DEEP, K = DEEP * Number::PER;
    __shared__ __align__(16) Word tile_a[2][DEEP][M + Core::PAD];
    __shared__ __align__(16) Word tile_b[2][DEEP][N + Core::PAD];
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
    const ProductPlace at = product_place(outer, shape.outer);
    a += at.one;
    b += at.two;
    c += product_place(outer, shape.outer_c).one + part * shape.part_stride;
    const unsigned int depth = (unsigned int)shape.depth, begin = part * (unsigned int)shape.part;
    const unsigned int end = depth - begin < (unsigned int)shape.part ? depth : begin + (unsigned int)shape.part;

    // Where the tile's rows lie in a and c, its columns in b and c.
    __shared__ long long place_m[M], place_n[N], line[M], column[N];
    product_places<M, Core::THREADS>(place_m, line, first_m, (unsigned int)shape.rows, shape.m);
    product_places<N, Core::THREADS>(place_n, column, first_n, (unsigned int)shape.cols, shape.n);
    ProductLoads<M, DEEP, Core::THREADS, Number> loads_a;
    ProductLoads<N, DEEP, Core::THREADS, Number> loads_b;
    T sum[Core::ROWS][Core::COLS];
#pragma unroll
    for (int i = 0; i < Core::ROWS; i++) {
#pragma unroll
        for (int j = 0; j < Core::COLS; j++) {
            sum[i][j] = T(0);
        }
    }

    // Where the positions of a chunk of k lie, a chunk ahead of the tiles.
    product_places<K, Core::THREADS>(step_a[0], step_b[0], begin, end, shape.k);
    int now = 0;
    __syncthreads();
    loads_a.fetch(a, place_m, step_a[0], shape.a_along_k);
    loads_b.fetch(b, place_n, step_b[0], shape.b_along_k);
    loads_a.put(tile_a[0], shape.a_along_k);
    loads_b.put(tile_b[0], shape.b_along_k);
    product_places<K, Core::THREADS>(step_a[1], step_b[1], begin + K, end, shape.k);
    __syncthreads();
    for (unsigned int p = begin; p < end; p += K) {
        const bool more = end - p > K;
        if (more) {
            loads_a.fetch(a, place_m, step_a[now ^ 1], shape.a_along_k);
            loads_b.fetch(b, place_n, step_b[now ^ 1], shape.b_along_k);
        }
        Core::multiply(sum, tile_a[now], tile_b[now]);
        if (more) {
            loads_a.put(tile_a[now ^ 1], shape.a_along_k);
            loads_b.put(tile_b[now ^ 1], shape.b_along_k);
            product_places<K, Core::THREADS>(step_a[now], step_b[now], p + 2 * K, end, shape.k);
        }
        __syncthreads();
        now ^= 1;
    }

#pragma unroll
    for (int i = 0; i < Core::ROWS; i++) {
        const long long row = line[Core::row(i)];
#pragma unroll
        for (int j = 0; j < Core::COLS; j++) {
            const long long col = column[Core::col(j)];
            if (row >= 0 && col >= 0) {
                T *to = c + (row + col);
                *to = shape.accumulate ? *to + sum[i][j] : sum[i][j];
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
            {PRODUCT_GIVEN(os), PRODUCT_GIVEN(oc), {0, 0, 0, 0}}, PRODUCT_EXTENT(ms), PRODUCT_EXTENT(ns), PRODUCT_EXTENT(ks), part, part_stride,          \
            accumulate != 0, a_along_k != 0, b_along_k != 0                                                            \
    }

extern "C" __global__ void __launch_bounds__(256, 2) product_large(PRODUCT_ARGUMENTS) {
    const ProductShape shape = PRODUCT_SHAPE;
    product_tile<ProductCore<128, 128, 8, 8, 8>>(c, a, b, shape);
}

extern "C" __global__ void __launch_bounds__(256, 3) product_middle(PRODUCT_ARGUMENTS) {
    const ProductShape shape = PRODUCT_SHAPE;
    product_tile<ProductCore<64, 64, 16, 4, 4>>(c, a, b, shape);
}

extern "C" __global__ void __launch_bounds__(256, 4) product_small(PRODUCT_ARGUMENTS) {
    const ProductShape shape = PRODUCT_SHAPE;
    product_tile<ProductCore<32, 32, 32, 2, 2>>(c, a, b, shape);
}

/// Adds parts of a product, which lie one after the other in the order outer, m, n, in order: each place of c, an index of
/// up to twelve axes, becomes their sum; or that is added to it.
extern "C" __global__ void product_parts(T *__restrict__ c, const T *__restrict__ values, long long count, long long parts, long long accumulate,
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
        T *to = c + product_place((unsigned int)(line / rows), outer).one +
                product_place((unsigned int)(line % rows), m).one + product_place((unsigned int)(i % cols), n).one;
        *to = accumulate != 0 ? *to + sum : sum;
    }
}
