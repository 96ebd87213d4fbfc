// What every kernel stands on. In: nothing. Out: the number type, the clock, places. Never: a function of the toolkit's
// mathematics, a standard header, or anything that -fmad, fast divisions or flushed denormals would change unasked.

/// A function of kernels.
#define DEVICE static __device__ __forceinline__

/// The number type of all values.
typedef float T;

/// What random streams depend on: `cuda::tape::Clock`.
struct Clock {
    unsigned long long seed, step, first_row;
};

/// All 32 threads of a warp: no part of a warp ever exchanges values.
#define WHOLE_WARP 0xffffffffu

/// The place that an index means, among `bound`: one beyond the end means the last; NaN and below 0 the first.
DEVICE long long place(T index, long long bound) {
    const long long last = bound > 0 ? bound - 1 : 0;
    // Whole numbers from 2⁶² on are beyond every end, and the conversion would not hold them all.
    const long long whole = index > T(0) ? (index < T(4.611686e18) ? (long long)index : last) : 0;
    return whole < last ? whole : last;
}

/// The first element of a thread that walks over many with all threads of the grid.
DEVICE long long grid_start() {
    return (long long)blockIdx.x * blockDim.x + threadIdx.x;
}

/// How far such a thread goes each time.
DEVICE long long grid_step() {
    return (long long)gridDim.x * blockDim.x;
}
