// Sums and largest values over threads. In: a value of each thread. Out: the result in every thread, the same bits
// whatever the order in which warps run. Never: called by a part of a warp or block, or a block that is no multiple of 32.

/// The sum over the 32 threads of a warp: halves, then halves of halves.
DEVICE T warp_sum(T value) {
#pragma unroll
    for (int half = 16; half > 0; half >>= 1) {
        value += __shfl_xor_sync(WHOLE_WARP, value, half);
    }
    return value;
}

/// The largest over the 32 threads of a warp; NaN where one is NaN.
DEVICE T warp_max(T value) {
#pragma unroll
    for (int half = 16; half > 0; half >>= 1) {
        const T other = __shfl_xor_sync(WHOLE_WARP, value, half);
        // The lower thread's value first, in both: of two zeros all threads choose the same.
        value = (threadIdx.x & half) != 0 ? math_max(other, value) : math_max(value, other);
    }
    return value;
}

/// The sum over all threads of the block: of each warp, then of the warps.
DEVICE T block_sum(T value) {
    __shared__ T parts[32];
    value = warp_sum(value);
    if ((threadIdx.x & 31) == 0) {
        parts[threadIdx.x >> 5] = value;
    }
    __syncthreads();
    const unsigned int warps = blockDim.x >> 5, lane = threadIdx.x & 31;
    value = warp_sum(lane < warps ? parts[lane] : T(0));
    // The next call writes `parts` again.
    __syncthreads();
    return value;
}

/// The largest over all threads of the block; NaN where one is NaN.
DEVICE T block_max(T value) {
    __shared__ T parts[32];
    value = warp_max(value);
    if ((threadIdx.x & 31) == 0) {
        parts[threadIdx.x >> 5] = value;
    }
    __syncthreads();
    const unsigned int warps = blockDim.x >> 5, lane = threadIdx.x & 31;
    value = warp_max(lane < warps ? parts[lane] : __uint_as_float(0xff800000u));
    __syncthreads();
    return value;
}
