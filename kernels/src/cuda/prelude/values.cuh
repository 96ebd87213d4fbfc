// Kernels over plain values. In: contiguous values. Out: contiguous values. Never: overlapping arguments, or an order of
// sums that depends on the grid.

/// `count` values become `value`.
extern "C" __global__ void fill(T *to, long long count, T value) {
    for (long long i = grid_start(); i < count; i += grid_step()) {
        to[i] = value;
    }
}

/// `count` values.
extern "C" __global__ void copy(T *__restrict__ to, const T *__restrict__ from, long long count) {
    for (long long i = grid_start(); i < count; i += grid_step()) {
        to[i] = from[i];
    }
}

/// Two values as bfloat16, the first in the low half: to nearest, ties to even.
DEVICE unsigned int bfloat16_pair(T low, T high) {
#ifdef DIABOLO_EMULATOR
    const T values[2] = {low, high};
    unsigned int half[2];
    for (int i = 0; i < 2; i++) {
        const unsigned int bits = __float_as_uint(values[i]);
        half[i] = values[i] != values[i] ? 0x7fffu : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    }
    return half[0] | half[1] << 16;
#else
    unsigned int bits;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
    return bits;
#endif
}

/// `count` values as bfloat16, two in the place of one; an odd last one has 0 beside it.
extern "C" __global__ void to_bfloat16(T *__restrict__ to, const T *__restrict__ from, long long count) {
    unsigned int *words = (unsigned int *)to;
    const long long pairs = count / 2, step = grid_step();
    for (long long i = grid_start(); i < pairs; i += 4 * step) {
        // All of them are asked for before the first has come.
        T low[4], high[4];
#pragma unroll
        for (int j = 0; j < 4; j++) {
            const long long at = i + j * step;
            low[j] = at < pairs ? from[2 * at] : T(0);
            high[j] = at < pairs ? from[2 * at + 1] : T(0);
        }
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (i + j * step < pairs) {
                words[i + j * step] = bfloat16_pair(low[j], high[j]);
            }
        }
    }
    if (grid_start() == 0 && count % 2 != 0) {
        words[pairs] = bfloat16_pair(from[count - 1], T(0));
    }
}

/// into[i] = Σ_p parts[p·stride + i] for i under `count`, in order; or added to what is there.
extern "C" __global__ void sum_parts(T *__restrict__ into, const T *__restrict__ values, long long count, long long parts, long long stride,
                                     long long accumulate) {
    for (long long i = grid_start(); i < count; i += grid_step()) {
        T sum = accumulate != 0 ? into[i] : T(0);
        for (long long p = 0; p < parts; p++) {
            sum += values[p * stride + i];
        }
        into[i] = sum;
    }
}

/// The same of the largest: -∞ of no parts, NaN where one is NaN.
extern "C" __global__ void max_parts(T *__restrict__ into, const T *__restrict__ values, long long count, long long parts, long long stride,
                                     long long accumulate) {
    for (long long i = grid_start(); i < count; i += grid_step()) {
        T most = accumulate != 0 ? into[i] : __uint_as_float(0xff800000u);
        for (long long p = 0; p < parts; p++) {
            most = math_max(most, values[p * stride + i]);
        }
        into[i] = most;
    }
}
