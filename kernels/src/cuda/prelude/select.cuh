// The first of many, in order: the twin of kernels/src/cpu/select.rs. In: runs of values. Out: for each run the positions
// of its first values, as numbers, bit for bit. Never: scratch; what does not fit into shared memory is sorted in place.
//
// Values become keys that follow each other as they do. Histograms of 11, 11 and 10 bits of the keys find the last one that
// belongs to the first k: mostly the first histogram leaves few enough to sort them in shared memory, so that the values are
// read twice. A pair of key and position is like no other: the order in which pairs are found does not matter.

/// Pairs that are sorted in shared memory.
#define SELECT_TILE 4096
/// So few values are sorted without a choice before.
#define SELECT_FEW 1024
#define SELECT_BINS 2048
/// Loads of a thread that are under way at once.
#define SELECT_BATCH 4

/// What comes first has the least key; equal values, 0 and -0 too, have equal keys; NaN is above all numbers.
DEVICE unsigned int select_key(T value, bool largest) {
    unsigned int bits = __float_as_uint(value);
    bits = value == T(0) ? 0u : bits;
    unsigned int key = (bits >> 31) != 0u ? ~bits : bits | 0x80000000u;
    key = value != value ? 0xffffffffu : key;
    return largest ? ~key : key;
}

DEVICE unsigned long long select_pair(unsigned int key, long long position) {
    return (unsigned long long)key << 32 | (unsigned long long)position;
}

/// The sum of the values of all threads up to this one; `total` of all.
DEVICE unsigned int select_scan(unsigned int value, unsigned int *total) {
    __shared__ unsigned int sums[32];
    const unsigned int lane = threadIdx.x & 31, warps = blockDim.x >> 5;
#pragma unroll
    for (int step = 1; step < 32; step <<= 1) {
        const unsigned int below = __shfl_up_sync(WHOLE_WARP, value, step);
        value += lane >= step ? below : 0u;
    }
    if (lane == 31) {
        sums[threadIdx.x >> 5] = value;
    }
    __syncthreads();
    unsigned int before = lane < warps ? sums[lane] : 0u;
#pragma unroll
    for (int step = 1; step < 32; step <<= 1) {
        const unsigned int below = __shfl_up_sync(WHOLE_WARP, before, step);
        before += lane >= step ? below : 0u;
    }
    *total = __shfl_sync(WHOLE_WARP, before, 31);
    const unsigned int warp = threadIdx.x >> 5;
    before = __shfl_sync(WHOLE_WARP, before, warp == 0 ? 0 : warp - 1);
    __syncthreads();
    return value + (warp == 0 ? 0u : before);
}

/// Counts the digits of the keys that begin with `prefix`.
DEVICE void select_count(unsigned int *bins, const T *from, long long n, bool largest, unsigned int prefix,
                         int shift, int digits) {
    for (unsigned int bin = threadIdx.x; bin < SELECT_BINS; bin += blockDim.x) {
        bins[bin] = 0u;
    }
    __syncthreads();
    for (long long base = 0; base < n; base += SELECT_BATCH * (long long)blockDim.x) {
        T values[SELECT_BATCH];
#pragma unroll
        for (int u = 0; u < SELECT_BATCH; u++) {
            const long long i = base + u * (long long)blockDim.x + threadIdx.x;
            values[u] = i < n ? from[i] : T(0);
        }
#pragma unroll
        for (int u = 0; u < SELECT_BATCH; u++) {
            const long long i = base + u * (long long)blockDim.x + threadIdx.x;
            const unsigned int key = select_key(values[u], largest);
            // Shifted twice: by 32 is by nothing.
            const bool counts = i < n && (key >> shift >> digits) == prefix;
            const unsigned int digit = counts ? (key >> shift) & ((1u << digits) - 1u) : SELECT_BINS;
            // Many zeros, say, of one warp are counted at once.
            const unsigned int first = __shfl_sync(WHOLE_WARP, digit, 0);
            const unsigned int same = __ballot_sync(WHOLE_WARP, digit == first);
            if (counts && digit != first) {
                atomicAdd(&bins[digit], 1u);
            } else if (counts && (threadIdx.x & 31) == 0) {
                atomicAdd(&bins[digit], (unsigned int)__popc(same));
            }
        }
    }
    __syncthreads();
}

/// The digit in which the value of rank `rank` (from 1 on) lies: how many come before that digit, and how many have it.
DEVICE unsigned int select_digit(const unsigned int *bins, unsigned int rank, unsigned int *before, unsigned int *have) {
    __shared__ unsigned int found[3];
    const unsigned int each = (SELECT_BINS + blockDim.x - 1) / blockDim.x, first = threadIdx.x * each;
    unsigned int mine = 0, all;
    for (unsigned int bin = first; bin < first + each && bin < SELECT_BINS; bin++) {
        mine += bins[bin];
    }
    unsigned int sum = select_scan(mine, &all) - mine;
    for (unsigned int bin = first; bin < first + each && bin < SELECT_BINS; bin++) {
        if (sum < rank && rank <= sum + bins[bin]) {
            found[0] = bin;
            found[1] = sum;
            found[2] = bins[bin];
        }
        sum += bins[bin];
    }
    __syncthreads();
    *before = found[1];
    *have = found[2];
    const unsigned int digit = found[0];
    __syncthreads();
    return digit;
}

/// One step of a bitonic sort compares the pairs number `t`, which lie so far apart; in the first step of a run each meets
/// its mirror image, so that all runs ascend and what is missing at the end counts as last.
DEVICE void select_places(long long t, long long half, bool mirror, long long *low, long long *high) {
    const long long inner = t & (half - 1), start = 2 * (t - inner);
    *low = start + inner;
    *high = mirror ? start + 2 * half - 1 - inner : start + half + inner;
}

/// The least power of two that is not below `count`.
DEVICE long long select_round(long long count) {
    long long most = 1;
    while (most < count) {
        most <<= 1;
    }
    return most;
}

/// One step over pairs in shared memory.
DEVICE void select_step(unsigned long long *pairs, long long count, long long most, long long half, bool mirror) {
    for (long long t = threadIdx.x; t < most / 2; t += blockDim.x) {
        long long low, high;
        select_places(t, half, mirror, &low, &high);
        if (high < count && pairs[low] > pairs[high]) {
            const unsigned long long held = pairs[low];
            pairs[low] = pairs[high];
            pairs[high] = held;
        }
    }
    __syncthreads();
}

/// Sorts pairs in shared memory.
DEVICE void select_sort(unsigned long long *pairs, long long count) {
    const long long most = select_round(count);
    for (long long run = 2; run <= most; run <<= 1) {
        for (long long half = run >> 1; half > 0; half >>= 1) {
            select_step(pairs, count, most, half, half == run >> 1);
        }
    }
}

/// The pair that a position stands for.
DEVICE unsigned long long select_pair_at(const T *values, T position, bool largest) {
    const long long at = (long long)position;
    return select_pair(select_key(values[at], largest), at);
}

/// One step over positions in memory.
DEVICE void select_step_far(T *into, const T *values, long long k, bool largest, long long half, bool mirror) {
    const long long most = select_round(k);
    for (long long t = threadIdx.x; t < most / 2; t += blockDim.x) {
        long long low, high;
        select_places(t, half, mirror, &low, &high);
        if (high < k) {
            const T a = into[low], b = into[high];
            if (select_pair_at(values, a, largest) > select_pair_at(values, b, largest)) {
                into[low] = b;
                into[high] = a;
            }
        }
    }
    __syncthreads();
}

/// Sorts each piece of the positions in shared memory; or runs of twice its length, as far as steps stay within a piece.
DEVICE void select_pieces(unsigned long long *pairs, T *into, const T *values, long long k, bool largest, bool sorted) {
    for (long long start = 0; start < k; start += SELECT_TILE) {
        const long long count = k - start < SELECT_TILE ? k - start : SELECT_TILE;
        for (long long i = threadIdx.x; i < count; i += blockDim.x) {
            pairs[i] = select_pair_at(values, into[start + i], largest);
        }
        __syncthreads();
        if (sorted) {
            for (long long half = SELECT_TILE / 2; half > 0; half >>= 1) {
                select_step(pairs, count, SELECT_TILE, half, false);
            }
        } else {
            select_sort(pairs, count);
        }
        for (long long i = threadIdx.x; i < count; i += blockDim.x) {
            into[start + i] = (T)(unsigned int)pairs[i];
        }
        __syncthreads();
    }
}

/// Sorts positions in memory.
DEVICE void select_sort_far(unsigned long long *pairs, T *into, const T *values, long long k, bool largest) {
    select_pieces(pairs, into, values, k, largest, false);
    for (long long run = 2 * SELECT_TILE; run < 2 * k; run <<= 1) {
        for (long long half = run >> 1; half >= SELECT_TILE; half >>= 1) {
            select_step_far(into, values, k, largest, half, half == run >> 1);
        }
        select_pieces(pairs, into, values, k, largest, true);
    }
}

/// Collects the pairs whose keys, shifted by `shift`, are at most `prefix`; all of them where that is 32.
DEVICE void select_collect(unsigned long long *pairs, unsigned int *taken, const T *values, long long n, bool largest,
                           int shift, unsigned int prefix) {
    for (long long base = 0; base < n; base += SELECT_BATCH * (long long)blockDim.x) {
        T batch[SELECT_BATCH];
#pragma unroll
        for (int u = 0; u < SELECT_BATCH; u++) {
            const long long i = base + u * (long long)blockDim.x + threadIdx.x;
            batch[u] = i < n ? values[i] : T(0);
        }
#pragma unroll
        for (int u = 0; u < SELECT_BATCH; u++) {
            const long long i = base + u * (long long)blockDim.x + threadIdx.x;
            const unsigned int key = select_key(batch[u], largest);
            if (i < n && (shift == 32 || key >> shift <= prefix)) {
                pairs[atomicAdd(taken, 1u)] = select_pair(key, i);
            }
        }
    }
    __syncthreads();
}

/// Collects the positions of the `k` first: of those with the last key of all, the first `wanted` in memory.
DEVICE void select_collect_far(T *into, unsigned int *taken, const T *values, long long n, long long k, bool largest,
                               unsigned int last, unsigned int wanted) {
    unsigned int equals = 0u;
    for (long long base = 0; base < n; base += blockDim.x) {
        const long long i = base + threadIdx.x;
        const unsigned int key = i < n ? select_key(values[i], largest) : 0u;
        bool takes = i < n;
        if (k < n) {
            unsigned int all;
            const bool equal = i < n && key == last;
            const unsigned int rank = equals + select_scan(equal ? 1u : 0u, &all);
            equals += all;
            takes = i < n && (equal ? rank <= wanted : key < last);
        }
        if (takes) {
            into[atomicAdd(taken, 1u)] = (T)i;
        }
    }
    __syncthreads();
}

/// The positions of the `k` first of each `n` values, in order; one block a run (fewer blocks take several each).
extern "C" __global__ void __launch_bounds__(1024) top_k(T *into, const T *from, long long outer, long long n, long long k,
                                                         long long largest_first) {
    __shared__ unsigned long long pairs[SELECT_TILE];
    __shared__ unsigned int bins[SELECT_BINS];
    __shared__ unsigned int taken;
    const bool largest = largest_first != 0;
    for (long long run = blockIdx.x; run < outer; run += gridDim.x) {
        T *first = into + run * k;
        const T *values = from + run * n;
        if (n == 0) {
            for (long long i = threadIdx.x; i < k; i += blockDim.x) {
                first[i] = T(0);
            }
            continue;
        }
        // So many keys, shifted by `shift`, are at most `prefix`; of those equal to it, `wanted` belong to the first k.
        long long reach = n;
        unsigned int prefix = 0u, wanted = (unsigned int)k;
        int shift = 32;
        while (k < n && n > SELECT_FEW && shift > 0 && (shift == 32 || reach > SELECT_TILE)) {
            const int digits = shift == 10 ? 10 : 11;
            shift -= digits;
            unsigned int before, have;
            select_count(bins, values, n, largest, prefix, shift, digits);
            const unsigned int digit = select_digit(bins, wanted, &before, &have);
            prefix = prefix << digits | digit;
            wanted -= before;
            reach = k - wanted + have;
        }
        if (threadIdx.x == 0) {
            taken = 0u;
        }
        __syncthreads();
        if (reach <= SELECT_TILE) {
            select_collect(pairs, &taken, values, n, largest, shift, prefix);
            select_sort(pairs, reach);
            for (long long i = threadIdx.x; i < k; i += blockDim.x) {
                first[i] = (T)(unsigned int)pairs[i];
            }
        } else {
            select_collect_far(first, &taken, values, n, k, largest, prefix, wanted);
            select_sort_far(pairs, first, values, k, largest);
        }
        // The next run writes shared memory behind a barrier of its own.
    }
}
