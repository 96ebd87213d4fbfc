// What a training step does beside its program. In: resident data, an order of rows, gradients, metrics. Out: a batch, clipped
// gradients, the next step's clock. Never: a sum whose order depends on the device.

struct Position {
    unsigned long long row, slot;
};

// to[row] = from[order[position.row + row]], rows of so many elements.
extern "C" __global__ void gather_rows(T *to, const T *from, const unsigned int *order, const Position *position,
                                       long long rows, long long width) {
    const long long count = rows * width, first = (long long)position->row;
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < count;
         i += gridDim.x * (long long)blockDim.x) {
        const long long row = i / width;
        to[i] = from[(long long)order[first + row] * width + (i - row * width)];
    }
}

// parts[p] = the sum of the squares of every element i with i / (block size) ≡ p modulo the number of blocks.
extern "C" __global__ void sum_of_squares(T *parts, const T *values, long long count) {
    T sum = 0.0f;
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < count;
         i += gridDim.x * (long long)blockDim.x) {
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
    const T found = sqrtf(block_sum(sum));
    if (found > norm) {
        const T factor = norm / found;
        for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < count;
             i += gridDim.x * (long long)blockDim.x) {
            values[i] *= factor;
        }
    }
}

// Keeps the metrics of a step and goes on to the next. One block.
extern "C" __global__ void end_of_step(Clock *clock, Position *position, T *kept, const T *metrics, long long count,
                                       long long rows, long long slots) {
    const long long slot = (long long)position->slot;
    for (long long i = threadIdx.x; i < count; i += blockDim.x) {
        kept[slot * count + i] = metrics[i];
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        clock->step += 1;
        position->row += (unsigned long long)rows;
        position->slot = (unsigned long long)((slot + 1) % slots);
    }
}
