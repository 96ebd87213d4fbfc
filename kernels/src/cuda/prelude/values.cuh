// Kernels over plain values. In: contiguous values. Out: contiguous values. Never: overlapping arguments, or an order of
// sums that depends on the grid.

/// `count` values become `value`.
extern "C" __global__ void fill(T *to, long long count, T value) {
    for (long long i = grid_start(); i < count; i += grid_step()) {
        to[i] = value;
    }
}

/// `count` values.
extern "C" __global__ void copy(T *to, const T *from, long long count) {
    for (long long i = grid_start(); i < count; i += grid_step()) {
        to[i] = from[i];
    }
}

/// into[i] = Σ_p parts[p·stride + i] for i under `count`, in order; or added to what is there.
extern "C" __global__ void sum_parts(T *into, const T *values, long long count, long long parts, long long stride,
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
extern "C" __global__ void max_parts(T *into, const T *values, long long count, long long parts, long long stride,
                                     long long accumulate) {
    for (long long i = grid_start(); i < count; i += grid_step()) {
        T most = accumulate != 0 ? into[i] : __uint_as_float(0xff800000u);
        for (long long p = 0; p < parts; p++) {
            most = math_max(most, values[p * stride + i]);
        }
        into[i] = most;
    }
}
