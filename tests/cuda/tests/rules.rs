//! The emulator sees kernels that break the rules of all kernels.
use std::collections::BTreeMap;

use diabolo_cuda_tests::{emulator, tape};
use diabolo_kernels::cuda::emulate::{Emulator, Error, Memory, Order};
use diabolo_kernels::cuda::{Argument, Launch, Pointer, Space};

const TEXT: &str = r#"
extern "C" __global__ void part_of_a_block(T *to, long long n) {
    if (threadIdx.x < 40) {
        __syncthreads();
    }
    to[0] = T(n);
}
extern "C" __global__ void returned(T *to, long long n) {
    if (grid_start() >= n) {
        return;
    }
    to[grid_start()] = block_sum(T(1));
}
extern "C" __global__ void different(T *to, long long n) {
    if ((threadIdx.x & 1) == 0) {
        to[0] = __shfl_sync(WHOLE_WARP, T(n), 0);
    } else {
        to[0] = __shfl_xor_sync(WHOLE_WARP, T(n), 1);
    }
}
extern "C" __global__ void part_of_a_warp(T *to, long long n) {
    to[0] = __shfl_sync(0xffffu, T(n), 0);
}
extern "C" __global__ void beyond(T *to, long long n) {
    to[n] = T(1);
}
extern "C" __global__ void beyond_shared(T *to, long long n) {
    __shared__ T held[8];
    T *at = held + n / 2;
    at[n - n / 2] = T(1);
    __syncthreads();
    to[0] = held[n - 1];
}
extern "C" __global__ void overflow(T *to, long long n) {
    int large = (int)n << 25;
    to[0] = T(large + large + large + large);
}
extern "C" __global__ void unwritten(T *to, long long n) {
    __shared__ T held[32];
    if (n == 0) {
        held[threadIdx.x] = T(1);
    }
    to[threadIdx.x] = held[threadIdx.x];
}
extern "C" __global__ void order(T *to, long long n) {
    to[0] = T(threadIdx.x);
}
extern "C" __global__ void lawful(T *to, long long n) {
    to[0] = T(n);
}
"#;

fn try_out(emulator: &Emulator, kernel: &'static str, n: usize, order: Order) -> Result<Vec<f32>, Error> {
    let arguments = vec![Argument::Output(Pointer::new(Space::Outputs)), Argument::Size(n)];
    let launch = Launch { kernel, blocks: [1, 1, 1], threads: 64, arguments };
    let spaces = BTreeMap::from([(Space::Outputs, vec![0.0; 64])]);
    let mut memory = Memory { spaces, ..Memory::default() };
    emulator.play(0, &tape(vec![launch]), &mut memory, order)?;
    Ok(memory.spaces[&Space::Outputs].clone())
}

#[track_caller]
fn refuses(emulator: &Emulator, kernel: &'static str, n: usize, why: &str) {
    for order in [Order::Ascending, Order::Descending] {
        match try_out(emulator, kernel, n, order) {
            Err(error) => assert!(error.to_string().contains(why), "{kernel}: {error}"),
            Ok(_) => panic!("{kernel} runs"),
        }
    }
}

#[test]
fn threads_that_part_are_refused() {
    let Some(emulator) = emulator(&[TEXT], false) else { return };
    refuses(&emulator, "part_of_a_block", 1, "waits at a barrier while thread");
    refuses(&emulator, "returned", 40, "has returned");
    refuses(&emulator, "different", 1, "does another");
    refuses(&emulator, "part_of_a_warp", 1, "a part of a warp");
    assert_eq!(try_out(&emulator, "lawful", 3, Order::Ascending).map(|values| values[0]), Ok(3.0));
    assert_eq!(try_out(&emulator, "returned", 64, Order::Ascending).map(|values| values[9]), Ok(64.0));
}

#[test]
fn foreign_memory_and_overflows_are_refused() {
    let Some(emulator) = emulator(&[TEXT], true) else { return };
    refuses(&emulator, "beyond", 64, "heap-buffer-overflow");
    refuses(&emulator, "beyond_shared", 8, "the emulator ended");
    refuses(&emulator, "overflow", 16, "signed integer overflow");
    assert!(try_out(&emulator, "beyond", 63, Order::Ascending).is_ok());
}

#[test]
fn what_was_never_written_is_no_number() {
    let Some(emulator) = emulator(&[TEXT], false) else { return };
    if cfg!(target_os = "linux") {
        let values = try_out(&emulator, "unwritten", 1, Order::Ascending);
        assert!(values.is_ok_and(|values| values.iter().all(|x| x.is_nan())));
    }
    assert!(try_out(&emulator, "unwritten", 0, Order::Ascending).is_ok_and(|values| values[0] == 1.0));
}

#[test]
fn orders_of_threads_differ() {
    let Some(emulator) = emulator(&[TEXT], false) else { return };
    let last = |order| try_out(&emulator, "order", 1, order).map(|values| values[0]);
    assert_eq!((last(Order::Ascending), last(Order::Descending)), (Ok(63.0), Ok(0.0)));
}

#[test]
fn wrong_launches_are_errors() {
    let Some(emulator) = emulator(&[TEXT], false) else { return };
    let pointer = Argument::Output(Pointer::new(Space::Outputs));
    for (kernel, threads, arguments, why) in [
        ("missing", 64, vec![pointer, Argument::Size(1)], "no kernel `missing`"),
        ("lawful", 64, vec![pointer], "takes arguments (ps), not (p)"),
        ("lawful", 64, vec![pointer, Argument::Number(1.0)], "takes arguments (ps), not (pn)"),
        ("lawful", 48, vec![pointer, Argument::Size(1)], "blocks of 48 threads"),
        (
            "lawful",
            64,
            vec![Argument::Pointer(Pointer::new(Space::Inputs)), Argument::Size(1)],
            "no space Inputs",
        ),
    ] {
        let launch = Launch { kernel, blocks: [1, 1, 1], threads, arguments };
        let spaces = BTreeMap::from([(Space::Outputs, vec![0.0; 64])]);
        let mut memory = Memory { spaces, ..Memory::default() };
        let error = emulator.play(0, &tape(vec![launch]), &mut memory, Order::Ascending);
        assert!(error.as_ref().is_err_and(|error| error.to_string().contains(why)), "{kernel}: {error:?}");
    }
    assert!(matches!(Emulator::new(&["nonsense"], false), Err(Error::Text(_))));
}
