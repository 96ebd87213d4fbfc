// What a training step does beside its program. In: resident data, an order of rows, gradients, metrics. Out: a batch, clipped
// gradients, the next step's clock. Never: a sum whose order depends on the device.
//
// All memory is of four-byte elements; numbers of eight bytes are two of them, the lower one first. `control` is that of
// training.rs: seed, step, first row; seed, update, 0; row, slot.

DEVICE unsigned long long number_at(const T *words, long long number) {
    const unsigned long long high = __float_as_uint(words[2 * number + 1]);
    return high << 32 | __float_as_uint(words[2 * number]);
}

DEVICE void put_number(T *words, long long number, unsigned long long value) {
    words[2 * number] = __uint_as_float((unsigned int)value);
    words[2 * number + 1] = __uint_as_float((unsigned int)(value >> 32));
}

// to[row] = from[order[control.row + row]], rows of so many elements.
extern "C" __global__ void gather_rows(T *__restrict__ to, const T *__restrict__ from, const T *__restrict__ order,
                                       const T *__restrict__ control, long long rows, long long width) {
    const long long count = rows * width, first = (long long)number_at(control, 6);
    for (long long i = grid_start(); i < count; i += grid_step()) {
        const long long row = i / width;
        to[i] = from[(long long)__float_as_uint(order[first + row]) * width + (i - row * width)];
    }
}

// parts[p] = the sum of the squares of what block p walks over.
extern "C" __global__ void sum_of_squares(T *parts, const T *values, long long count) {
    T sum = 0.0f;
    for (long long i = grid_start(); i < count; i += grid_step()) {
        sum = fmaf(values[i], values[i], sum);
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) {
        parts[blockIdx.x] = sum;
    }
}

// Scales down to a norm; every block adds the parts in the same order.
extern "C" __global__ void clip_to_norm(T *values, const T *parts, long long count, long long number, T norm) {
    T sum = 0.0f;
    for (long long p = threadIdx.x; p < number; p += blockDim.x) {
        sum += parts[p];
    }
    const T found = math_sqrt(block_sum(sum));
    if (found > norm) {
        const T factor = norm / found;
        for (long long i = grid_start(); i < count; i += grid_step()) {
            values[i] *= factor;
        }
    }
}

// Keeps the metrics of a step and goes on to the next. One block.
extern "C" __global__ void end_of_step(T *control, T *kept, const T *metrics, long long count, long long rows,
                                       long long slots) {
    const unsigned long long slot = number_at(control, 7);
    for (long long i = threadIdx.x; i < count; i += blockDim.x) {
        kept[(long long)slot * count + i] = metrics[i];
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        put_number(control, 1, number_at(control, 1) + 1);
        put_number(control, 4, number_at(control, 4) + 1);
        put_number(control, 6, number_at(control, 6) + (unsigned long long)rows);
        put_number(control, 7, (slot + 1) % (unsigned long long)slots);
    }
}
