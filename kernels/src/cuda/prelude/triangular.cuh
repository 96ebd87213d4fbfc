// The triangular factor of a tall matrix: the twin of `cpu/triangular/gram.rs`. In: A, m × n, strided. Out: R, n × n, with
// RᵀR = AᵀA, both in f64 until the end. Never: a sum whose order depends on the grid.
//
// `memory` begins with all factors (`skip` elements), behind which `triangular_factor` works in n² + n numbers of f64.

/// Where the work of f64 lies.
DEVICE double *triangular_room(T *memory, long long skip) {
    return (double *)(((unsigned long long)(memory + skip) + 7) & ~7ull);
}

/// AᵀA, on and above the diagonal; A's element (i, j) lies at from[i·row + j·col].
extern "C" __global__ void triangular_gram(T *memory, const T *from, long long skip, long long m, long long n,
                                           long long row, long long col) {
    double *gram = triangular_room(memory, skip);
    for (long long at = grid_start(); at < n * n; at += grid_step()) {
        const long long i = at / n, j = at % n;
        if (i > j) {
            continue;
        }
        double sum = 0.0;
        for (long long k = 0; k < m; k++) {
            sum = fma((double)from[k * row + i * col], (double)from[k * row + j * col], sum);
        }
        gram[at] = sum;
    }
}

/// The Cholesky factor of what `triangular_gram` left, to `into`, with zeros below the diagonal: one block. A pivot that is no
/// more than its rounding error counts as 0, with its row; a NaN goes on, and so does an infinity.
extern "C" __global__ void triangular_factor(T *memory, T *into, long long skip, long long n) {
    double *r = triangular_room(memory, skip), *diagonal = r + n * n;
    const double limit = (double)(n + 8) * 2.220446049250313e-16;
    const double infinity = __longlong_as_double(0x7ff0000000000000ll);
    const long long start = threadIdx.x, step = blockDim.x;
    for (long long j = start; j < n; j += step) {
        diagonal[j] = r[j * n + j];
    }
    __syncthreads();
    for (long long k = 0; k < n; k++) {
        const double pivot = r[k * n + k];
        const bool none = pivot <= limit * diagonal[k] && diagonal[k] < infinity;
        const double part = 1.0 / sqrt(pivot);
        // All have read the pivot.
        __syncthreads();
        for (long long j = k + start; j < n; j += step) {
            r[k * n + j] = none ? 0.0 : r[k * n + j] * part;
        }
        __syncthreads();
        const long long rest = none ? 0 : n - k - 1;
        for (long long at = start; at < rest * rest; at += step) {
            const long long i = k + 1 + at / rest, j = k + 1 + at % rest;
            if (i <= j) {
                r[i * n + j] = fma(-r[k * n + i], r[k * n + j], r[i * n + j]);
            }
        }
        __syncthreads();
    }
    for (long long at = start; at < n * n; at += step) {
        into[at] = at / n > at % n ? T(0) : (T)r[at];
    }
}
