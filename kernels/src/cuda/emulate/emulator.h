// CUDA C on the CPU. In: kernels as text, commands on the standard input. Out: what kernels leave in memory. Never: a race
// seen: threads run one after the other; and never fast.
//
// Blocks run in turn. The threads of a block are fibers where they wait for each other, and a plain loop where they do
// not: a fiber goes on to the next thread as long as none has waited. A warp waits at each exchange until all its threads
// are there, a block at each barrier; threads that wait at different things, or have returned, are an error.
// Memory is allocated with its exact size, so that an address sanitizer sees what reaches beyond; new memory and, where the
// linker can say where it lies, shared memory are filled with NaN.
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define EMULATOR_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EMULATOR_SANITIZED 1
#endif
#endif
#ifdef EMULATOR_SANITIZED
#include <sanitizer/common_interface_defs.h>
#endif

#define DIABOLO_EMULATOR 1
#define __global__ static
#define __device__
#define __constant__ static
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __launch_bounds__(...)
#if defined(__ELF__) && !defined(EMULATOR_SANITIZED)
#define EMULATOR_SHARED_SECTION 1
#define __shared__ static __attribute__((section("emulator_shared")))
extern "C" char __start_emulator_shared[] __attribute__((weak));
extern "C" char __stop_emulator_shared[] __attribute__((weak));
#else
#define __shared__ static
#endif

struct dim3 {
    unsigned int x, y, z;
};
static dim3 threadIdx, blockIdx, blockDim, gridDim;

struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
static inline float2 make_float2(float x, float y) {
    return {x, y};
}
static inline float4 make_float4(float x, float y, float z, float w) {
    return {x, y, z, w};
}

template <class To, class From> static inline To emulator_bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "sizes of a bit copy");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
static inline unsigned int __float_as_uint(float x) {
    return emulator_bits<unsigned int>(x);
}
static inline float __uint_as_float(unsigned int x) {
    return emulator_bits<float>(x);
}
static inline int __float_as_int(float x) {
    return emulator_bits<int>(x);
}
static inline float __int_as_float(int x) {
    return emulator_bits<float>(x);
}
static inline long long __double_as_longlong(double x) {
    return emulator_bits<long long>(x);
}
static inline double __longlong_as_double(long long x) {
    return emulator_bits<double>(x);
}
static inline int __popc(unsigned int x) {
    return __builtin_popcount(x);
}
static inline int __clz(int x) {
    return x == 0 ? 32 : __builtin_clz((unsigned int)x);
}
static inline int __ffs(int x) {
    return __builtin_ffs(x);
}

// Only of shared memory, and of integers: what they leave does not depend on an order.
static inline int atomicAdd(int *at, int value) {
    const int old = *at;
    *at = (int)((unsigned int)old + (unsigned int)value);
    return old;
}
static inline unsigned int atomicAdd(unsigned int *at, unsigned int value) {
    const unsigned int old = *at;
    *at = old + value;
    return old;
}
static inline unsigned int atomicMin(unsigned int *at, unsigned int value) {
    const unsigned int old = *at;
    *at = value < old ? value : old;
    return old;
}
static inline unsigned int atomicMax(unsigned int *at, unsigned int value) {
    const unsigned int old = *at;
    *at = value > old ? value : old;
    return old;
}
static inline unsigned int atomicOr(unsigned int *at, unsigned int value) {
    const unsigned int old = *at;
    *at = old | value;
    return old;
}

namespace emulator {

// ---- Fibers.

#if defined(__x86_64__)
extern "C" void emulator_switch(void **save, void *to) __asm__("emulator_switch");
__asm__(R"(
.text
.globl emulator_switch
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
)");
/// A stack from which a switch returns into `entry`.
static void *first_frame(char *top, void (*entry)()) {
    void **frame = (void **)((uintptr_t)top & ~(uintptr_t)15);
    *--frame = nullptr; // where `entry` would return to; it never does, and finds its stack aligned as after a call
    *--frame = (void *)entry;
    for (int i = 0; i < 6; i++) {
        *--frame = nullptr;
    }
    return frame;
}
struct Context {
    void *stack_pointer;
};
static void prepare(Context *context, char *stack, size_t size, void (*entry)()) {
    context->stack_pointer = first_frame(stack + size, entry);
}
static void change(Context *from, Context *to) {
    emulator_switch(&from->stack_pointer, to->stack_pointer);
}
#elif defined(__aarch64__)
extern "C" void emulator_switch(void **save, void *to) __asm__("emulator_switch");
__asm__(R"(
.text
.globl emulator_switch
.balign 4
emulator_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
)");
struct Context {
    void *stack_pointer;
};
static void prepare(Context *context, char *stack, size_t size, void (*entry)()) {
    char *top = (char *)(((uintptr_t)(stack + size) & ~(uintptr_t)15) - 160);
    memset(top, 0, 160);
    memcpy(top + 88, &entry, sizeof entry); // x30: where the switch returns to
    context->stack_pointer = top;
}
static void change(Context *from, Context *to) {
    emulator_switch(&from->stack_pointer, to->stack_pointer);
}
#else
#include <ucontext.h>
struct Context {
    ucontext_t state;
};
static void prepare(Context *context, char *stack, size_t size, void (*entry)()) {
    getcontext(&context->state);
    context->state.uc_stack.ss_sp = stack;
    context->state.uc_stack.ss_size = size;
    context->state.uc_link = nullptr;
    makecontext(&context->state, entry, 0);
}
static void change(Context *from, Context *to) {
    swapcontext(&from->state, &to->state);
}
#endif

/// Bytes of a fiber's stack.
static const size_t STACK = 256 << 10;
static const unsigned int MOST_THREADS = 1024;

struct Fiber {
    Context context;
    char *stack;
};

enum State { FRESH, EXCHANGE, BARRIER, RETURNED };

struct Thread {
    State state;
    Fiber *fiber;
    /// What it waits at: only threads that wait at the same go on together.
    int what;
    unsigned int exchanges;
};

static Thread threads[MOST_THREADS];
/// What each thread of a warp gives, for this exchange and the next.
static uint64_t given[2][MOST_THREADS];
static Fiber fibers[MOST_THREADS];
static Fiber *idle[MOST_THREADS];
static unsigned int idle_count, made;
static Context scheduler;
static Fiber *running;
static unsigned int current;
/// The lanes of the warp that start one after the other.
static unsigned int next_lane, warp_first;
static bool descending;
static char failure[512];

union Slot {
    uint64_t bits;
    void *pointer;
    long long size;
    float number;
    unsigned int site;
};
static void (*kernel)(const Slot *);
static const Slot *arguments;

#ifdef EMULATOR_SANITIZED
static const void *main_stack;
static size_t main_stack_size;
#endif

static void enter(Fiber *fiber) {
    running = fiber;
#ifdef EMULATOR_SANITIZED
    void *fake;
    __sanitizer_start_switch_fiber(&fake, fiber->stack, STACK);
    change(&scheduler, &fiber->context);
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
    change(&scheduler, &fiber->context);
#endif
}

static void leave() {
    Fiber *self = running;
#ifdef EMULATOR_SANITIZED
    void *fake;
    __sanitizer_start_switch_fiber(&fake, main_stack, main_stack_size);
    change(&self->context, &scheduler);
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
    change(&self->context, &scheduler);
#endif
}

static void become(unsigned int thread) {
    current = thread;
    threadIdx.x = thread;
}

static unsigned int in_order(unsigned int i, unsigned int count) {
    return descending ? count - 1 - i : i;
}

/// Runs threads until one of them has waited and then returned, or the warp has no more.
static void fiber_main() {
#ifdef EMULATOR_SANITIZED
    __sanitizer_finish_switch_fiber(nullptr, &main_stack, &main_stack_size);
#endif
    for (;;) {
        while (next_lane < 32) {
            const unsigned int thread = warp_first + in_order(next_lane++, 32);
            become(thread);
            kernel(arguments);
            const bool waited = threads[current].fiber != nullptr;
            threads[current].state = RETURNED;
            if (waited) {
                break;
            }
        }
        leave();
    }
}

/// The running thread waits, at `what`.
static void wait(State state, int what) {
    const unsigned int me = current;
    threads[me].state = state;
    threads[me].fiber = running;
    threads[me].what = what;
    leave();
    become(me);
}

static void fail(const char *text, ...) {
    va_list list;
    va_start(list, text);
    vsnprintf(failure, sizeof failure, text, list);
    va_end(list);
}

static const char *name(State state) {
    return state == EXCHANGE ? "exchanges values in its warp" : state == BARRIER ? "waits at a barrier" : "has returned";
}

/// Whether two threads may go on together.
static bool together(unsigned int a, unsigned int b) {
    const bool same = threads[a].state == threads[b].state && (threads[a].state == RETURNED || threads[a].what == threads[b].what);
    if (!same && failure[0] == 0) {
        fail("in block (%u, %u, %u), thread %u %s while thread %u %s", blockIdx.x, blockIdx.y, blockIdx.z, a,
             name(threads[a].state), b, threads[a].state == threads[b].state ? "does another" : name(threads[b].state));
    }
    return same;
}

/// Runs a warp up to a barrier or its end; false where its threads part.
static bool run_warp(unsigned int first) {
    warp_first = first;
    do {
        next_lane = 0;
        for (unsigned int i = 0; i < 32;) {
            const unsigned int thread = first + in_order(i, 32);
            if (threads[thread].state == FRESH) {
                next_lane = i;
                if (idle_count == 0) {
                    Fiber *fiber = &fibers[made++];
                    fiber->stack = (char *)malloc(STACK);
                    prepare(&fiber->context, fiber->stack, STACK, fiber_main);
                    idle[idle_count++] = fiber;
                }
                Fiber *fiber = idle[--idle_count];
                enter(fiber);
                i = next_lane;
                if (threads[current].state == RETURNED) {
                    idle[idle_count++] = fiber;
                }
            } else {
                if (threads[thread].state != RETURNED) {
                    next_lane = 32; // a fiber that ends has no other thread to start
                    Fiber *fiber = threads[thread].fiber;
                    current = thread;
                    enter(fiber);
                    if (threads[thread].state == RETURNED) {
                        idle[idle_count++] = fiber;
                    }
                }
                i++;
            }
        }
        for (unsigned int lane = 1; lane < 32; lane++) {
            if (!together(first, first + lane)) {
                return false;
            }
        }
    } while (threads[first].state == EXCHANGE);
    return true;
}

static bool run_block() {
#ifdef EMULATOR_SHARED_SECTION
    if (__start_emulator_shared != nullptr) {
        memset(__start_emulator_shared, 0xff, (size_t)(__stop_emulator_shared - __start_emulator_shared));
    }
#endif
    for (unsigned int i = 0; i < blockDim.x; i++) {
        threads[i] = {FRESH, nullptr, 0, 0};
    }
    const unsigned int warps = blockDim.x / 32;
    do {
        for (unsigned int i = 0; i < warps; i++) {
            if (!run_warp(32 * in_order(i, warps))) {
                return false;
            }
        }
        for (unsigned int warp = 1; warp < warps; warp++) {
            if (!together(0, 32 * warp)) {
                return false;
            }
        }
    } while (threads[0].state == BARRIER);
    return true;
}

// ---- What threads of a warp exchange.

/// Gives a value to the warp; returns what all have given.
template <class V> static const uint64_t *exchange(unsigned int mask, V value, int what) {
    const unsigned int half = threads[current].exchanges++ & 1u;
    given[half][current] = 0;
    memcpy(&given[half][current], &value, sizeof value);
    if (mask != 0xffffffffu && failure[0] == 0) {
        fail("an exchange between %08x, a part of a warp", mask);
    }
    wait(EXCHANGE, what);
    return &given[half][current & ~31u];
}
template <class V> static V taken(const uint64_t *values, unsigned int lane) {
    V value;
    memcpy(&value, &values[lane & 31u], sizeof value);
    return value;
}

/// What all threads of a warp have given.
struct Words {
    unsigned int of[32];
};
static Words all(unsigned int value, int what) {
    const uint64_t *values = exchange(0xffffffffu, value, what);
    Words words;
    for (unsigned int lane = 0; lane < 32; lane++) {
        words.of[lane] = taken<unsigned int>(values, lane);
    }
    return words;
}

} // namespace emulator

template <class V> static V __shfl_sync(unsigned int mask, V value, int lane) {
    return emulator::taken<V>(emulator::exchange(mask, value, 1), (unsigned int)lane);
}
template <class V> static V __shfl_xor_sync(unsigned int mask, V value, int lanes) {
    const uint64_t *values = emulator::exchange(mask, value, 2);
    return emulator::taken<V>(values, (threadIdx.x & 31u) ^ (unsigned int)lanes);
}
template <class V> static V __shfl_down_sync(unsigned int mask, V value, unsigned int lanes) {
    const uint64_t *values = emulator::exchange(mask, value, 3);
    const unsigned int lane = (threadIdx.x & 31u) + lanes;
    return emulator::taken<V>(values, lane < 32 ? lane : threadIdx.x & 31u);
}
template <class V> static V __shfl_up_sync(unsigned int mask, V value, unsigned int lanes) {
    const uint64_t *values = emulator::exchange(mask, value, 4);
    const unsigned int lane = threadIdx.x & 31u;
    return emulator::taken<V>(values, lane >= lanes ? lane - lanes : lane);
}
static unsigned int __ballot_sync(unsigned int mask, int predicate) {
    const uint64_t *values = emulator::exchange(mask, predicate != 0 ? 1u : 0u, 5);
    unsigned int all = 0;
    for (unsigned int lane = 0; lane < 32; lane++) {
        all |= emulator::taken<unsigned int>(values, lane) << lane;
    }
    return all;
}
static inline int __any_sync(unsigned int mask, int predicate) {
    return __ballot_sync(mask, predicate) != 0u;
}
static inline int __all_sync(unsigned int mask, int predicate) {
    return __ballot_sync(mask, predicate) == 0xffffffffu;
}
static inline void __syncwarp() {
    emulator::exchange(0xffffffffu, 0u, 6);
}
static inline void __syncthreads() {
    emulator::wait(emulator::BARRIER, 7);
}
/// Whether any thread of the block says so.
static int __syncthreads_or(int predicate) {
    static int any;
    emulator::wait(emulator::BARRIER, 10);
    any = 0;
    emulator::wait(emulator::BARRIER, 10);
    any |= predicate != 0;
    emulator::wait(emulator::BARRIER, 10);
    return any;
}

/// A tensor core's product over a warp, 16 × 8·PER times 8·PER × 8, plainly: words hold PER factors (1: float32 with few
/// bits, 2: bfloat16, the first low). Fragments as in the PTX ISA; a device adds in another order.
template <int PER> static void emulator_tensor(float (&sum)[4], const unsigned int (&a)[4], const unsigned int (&b)[2]) {
    unsigned int left[4][32], right[2][32];
    for (int i = 0; i < 4; i++) {
        memcpy(left[i], emulator::all(a[i], 8).of, sizeof left[i]);
    }
    for (int i = 0; i < 2; i++) {
        memcpy(right[i], emulator::all(b[i], 9).of, sizeof right[i]);
    }
    const unsigned int lane = threadIdx.x & 31u;
    for (unsigned int i = 0; i < 4; i++) {
        // Words of k lie at threads 0 to 3 of a row's or column's group, the upper half in the next register of a pair.
        const unsigned int row = lane / 4, upper = i / 2, col = lane % 4 * 2 + i % 2;
        for (unsigned int word = 0; word < 8; word++) {
            const unsigned int l = left[upper + word / 4 * 2][row * 4 + word % 4], r = right[word / 4][col * 4 + word % 4];
            for (int part = 0; part < PER; part++) {
                const unsigned int x = PER == 1 ? l : part == 0 ? l << 16 : l & 0xffff0000u;
                const unsigned int y = PER == 1 ? r : part == 0 ? r << 16 : r & 0xffff0000u;
                sum[i] = fmaf(__uint_as_float(x), __uint_as_float(y), sum[i]);
            }
        }
    }
}

struct Clock;

namespace emulator {

// ---- Kernels by name.

template <class V> struct Kind;
template <> struct Kind<long long> {
    static const char letter = 's';
    static long long of(const Slot &slot) { return slot.size; }
};
template <> struct Kind<float> {
    static const char letter = 'n';
    static float of(const Slot &slot) { return slot.number; }
};
template <> struct Kind<unsigned int> {
    static const char letter = 'u';
    static unsigned int of(const Slot &slot) { return slot.site; }
};
template <> struct Kind<float *> {
    static const char letter = 'p';
    static float *of(const Slot &slot) { return (float *)slot.pointer; }
};
template <> struct Kind<const float *> {
    static const char letter = 'p';
    static const float *of(const Slot &slot) { return (const float *)slot.pointer; }
};
template <> struct Kind<const Clock *> {
    static const char letter = 'c';
    static const Clock *of(const Slot &slot) { return (const Clock *)slot.pointer; }
};

struct Entry {
    const char *program, *name;
    void (*run)(const Slot *);
    const char *kinds;
};

template <auto function> struct Call;
template <class... A, void (*function)(A...)> struct Call<function> {
    static constexpr char kinds[] = {Kind<A>::letter..., 0};
    template <size_t... I> static void with(const Slot *slots, std::index_sequence<I...>) {
        function(Kind<A>::of(slots[I])...);
    }
    static void run(const Slot *slots) { with(slots, std::index_sequence_for<A...>()); }
};
#define EMULATOR_ENTRY(program, name, function)                                                                        \
    { program, name, emulator::Call<function>::run, emulator::Call<function>::kinds }

/// Runs a grid; false where threads of it part, with the reason in `failure`.
static bool launch(const Entry &entry, const uint32_t blocks[3], uint32_t block_threads, const Slot *slots) {
    kernel = entry.run;
    arguments = slots;
    gridDim = {blocks[0], blocks[1], blocks[2]};
    blockDim = {block_threads, 1, 1};
    threadIdx = {0, 0, 0};
    failure[0] = 0;
    if (block_threads == 0 || block_threads % 32 != 0 || block_threads > MOST_THREADS) {
        fail("blocks of %u threads", block_threads);
        return false;
    }
    const uint64_t count = (uint64_t)blocks[0] * blocks[1] * blocks[2];
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t block = descending ? count - 1 - i : i;
        blockIdx = {(unsigned int)(block % blocks[0]), (unsigned int)(block / blocks[0] % blocks[1]),
                    (unsigned int)(block / blocks[0] / blocks[1])};
        if (!run_block() || failure[0] != 0) {
            return false;
        }
    }
    return true;
}

// ---- Commands.

static void take(void *to, size_t bytes) {
    if (bytes > 0 && fread(to, 1, bytes, stdin) != bytes) {
        exit(0); // nobody asks any more
    }
}
template <class V> static V take() {
    V value;
    take(&value, sizeof value);
    return value;
}
static void give(const void *from, size_t bytes) {
    fwrite(from, 1, bytes, stdout);
    fflush(stdout);
}
static void answer(const char *text) {
    const uint32_t length = (uint32_t)strlen(text);
    fwrite(&length, 1, sizeof length, stdout);
    give(text, length);
}

/// Reads one launch and runs it.
static void launch_next(const Entry *entries, uint32_t count) {
    const uint32_t index = take<uint32_t>();
    uint32_t blocks[3];
    take(blocks, sizeof blocks);
    const uint32_t block_threads = take<uint32_t>(), given_arguments = take<uint32_t>();
    static char kinds[256];
    static Slot slots[255];
    if (given_arguments > 255 || index >= count) {
        return answer("more arguments than a kernel may have, or no such kernel");
    }
    take(kinds, given_arguments);
    kinds[given_arguments] = 0;
    take(slots, given_arguments * sizeof(Slot));
    const Entry &entry = entries[index];
    if (strcmp(kinds, entry.kinds) != 0) {
        fail("%s takes arguments (%s), not (%s)", entry.name, entry.kinds, kinds);
        return answer(failure);
    }
    answer(launch(entry, blocks, block_threads, slots) ? "" : failure);
}

static int serve(const Entry *entries, uint32_t count, bool backwards) {
    descending = backwards;
    for (;;) {
        switch (take<char>()) {
        case 'A': {
            const uint64_t bytes = take<uint64_t>();
            void *memory = malloc(bytes);
            if (memory != nullptr) {
                memset(memory, 0xff, bytes);
            }
            give(&memory, sizeof memory);
            break;
        }
        case 'F': free(take<void *>()); break;
        case 'W': {
            void *to = take<void *>();
            take(to, take<uint64_t>());
            break;
        }
        case 'R': {
            void *from = take<void *>();
            give(from, take<uint64_t>());
            break;
        }
        case 'L': launch_next(entries, count); break;
        default: return 0;
        }
    }
}

} // namespace emulator
