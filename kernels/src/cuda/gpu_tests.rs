//! The whole way through cudarc, with a driver and a compiler in C in the place of NVIDIA's: cudarc finds libraries by name,
//! so each test runs once more as a process of its own, which finds these first.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use super::super::arena::{Arena, Layout};
use super::super::copies::Copies;
use super::super::driver::{Precision, Products, Shared};
use super::super::play::{Captured, Loaded, Places, actions, play};
use super::super::tape::{Argument, Axis, Layer, Pointer, Product, Recorder, Space, Tape};
use super::super::testing::{folder, shared_library};
use super::*;

/// A driver whose memory is the host's, whose kernels do nothing, and whose call number `FAKE_FAILS` answers `FAKE_STATUS`.
/// What it gave and did not get back it counts in `fake_alive`.
const DRIVER: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int alive, calls, capturing, launches;
// Of the graph that is captured: its nodes, those that the next one follows, and which followed which.
static size_t nodes, ends[64], end_count;
static char edge_data[64][8], follows[64][64];
int fake_follows(int a, int b) { return follows[a][b]; }
static int fails(const char *name) {
    const char *at = getenv("FAKE_FAILS"), *status = getenv("FAKE_STATUS");
    if (getenv("FAKE_TRACE")) fprintf(stderr, "%d %s\n", calls, name);
    return calls++ == (at ? atoi(at) : -1) ? atoi(status) : 0;
}
#define CALL(name) int refused = fails(#name); if (refused) return refused
int fake_alive(void) { return alive; }
int fake_calls(void) { return calls; }
int fake_launches(void) { return launches; }
int cuInit(unsigned f) { return 0; }
int cuDriverGetVersion(int *v) { *v = 13000; return 0; }
int cuDeviceGetCount(int *n) { *n = 2; return 0; }
int cuDeviceGet(int *d, int i) { CALL(cuDeviceGet); *d = i; return 0; }
int cuDeviceGetAttribute(int *v, int a, int d) { CALL(cuDeviceGetAttribute); *v = a == 75 ? 9 : 0; return 0; }
int cuDeviceGetName(char *n, int len, int d) { CALL(cuDeviceGetName); memset(n, 'x', len); return 0; }
int cuDevicePrimaryCtxRetain(void **c, int d) { CALL(cuDevicePrimaryCtxRetain); *c = (void *)64; alive++; return 0; }
int cuDevicePrimaryCtxRelease_v2(int d) { alive--; return 0; }
int cuCtxSetCurrent(void *c) { return c == (void *)64 ? 0 : 201; }
int cuStreamCreate(void **s, unsigned f) { CALL(cuStreamCreate); *s = (void *)128; alive++; return 0; }
int cuStreamDestroy_v2(void *s) { alive--; return 0; }
int cuStreamSynchronize(void *s) { CALL(cuStreamSynchronize); return capturing ? 900 : 0; }
int cuMemGetInfo_v2(size_t *f, size_t *t) { CALL(cuMemGetInfo); *f = 1 << 20; *t = 1 << 21; return 0; }
int cuMemAlloc_v2(void **p, size_t n) { CALL(cuMemAlloc); if (capturing) return 900; *p = calloc(1, n); alive++; return 0; }
int cuMemFree_v2(void *p) { free(p); alive--; return 0; }
int cuMemcpyHtoDAsync_v2(void *d, const void *h, size_t n, void *s) { CALL(cuMemcpyHtoDAsync); memcpy(d, h, n); return 0; }
int cuMemcpyDtoHAsync_v2(void *h, const void *d, size_t n, void *s) { CALL(cuMemcpyDtoHAsync); memcpy(h, d, n); return 0; }
int cuModuleLoadData(void **m, const void *i) { CALL(cuModuleLoadData); *m = (void *)192; alive++; return 0; }
int cuModuleUnload(void *m) { alive--; return 0; }
int cuModuleGetFunction(void **f, void *m, const char *n) {
    CALL(cuModuleGetFunction);
    if (capturing) return 900;
    if (strcmp(n, "absent") == 0) return 500;
    *f = (void *)256;
    return 0;
}
int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   void *stream, void **parameters, void **extra) {
    CALL(cuLaunchKernel);
    // The kernel of the test: float *to, long long at, float value, unsigned site, const Clock *clock.
    if (gx == 3 && gy == 2 && gz == 1 && bx == 64) {
        float *to = *(float **)parameters[0];
        to[*(long long *)parameters[1]] = *(float *)parameters[2] + *(unsigned *)parameters[3];
        if (*(unsigned long long *)*(void **)parameters[4] != 7) return 1;
    }
    launches++;
    if (capturing) {
        memset(follows[nodes], 0, 64);
        for (size_t i = 0; i < end_count; i++) follows[nodes][ends[i] - 1] = 1;
        ends[0] = ++nodes;
        end_count = 1;
    }
    return 0;
}
int cuStreamBeginCapture_v2(void *s, int mode) {
    CALL(cuStreamBeginCapture);
    capturing = 1;
    nodes = end_count = 0;
    return 0;
}
int cuStreamGetCaptureInfo_v3(void *s, int *status, void *id, void *graph, const void **list, const void **data, size_t *n) {
    CALL(cuStreamGetCaptureInfo);
    *status = capturing;
    *list = ends;
    *data = edge_data;
    *n = end_count;
    return 0;
}
int cuStreamUpdateCaptureDependencies_v2(void *s, const size_t *list, const void *data, size_t n, unsigned flags) {
    CALL(cuStreamUpdateCaptureDependencies);
    if (!capturing || flags != 1 || n == 0 || !data) return 1;
    for (size_t i = 0; i < n; i++)
        if (list[i] == 0 || list[i] > nodes) return 1;
    memmove(ends, list, n * sizeof *list);
    end_count = n;
    return 0;
}
int cuStreamEndCapture(void *s, void **g) { capturing = 0; CALL(cuStreamEndCapture); *g = (void *)320; alive++; return 0; }
int cuGraphInstantiateWithFlags(void **e, void *g, unsigned long long f) { CALL(cuGraphInstantiate); *e = (void *)384; alive++; return 0; }
int cuGraphLaunch(void *e, void *s) { CALL(cuGraphLaunch); launches += 100; return 0; }
int cuGraphExecDestroy(void *e) { alive--; return 0; }
int cuGraphDestroy(void *g) { alive--; return 0; }
"#;

const NVRTC: &str = r#"
#include <string.h>
int nvrtcVersion(int *a, int *b) { *a = 13; *b = 0; return 0; }
int nvrtcCreateProgram(void **p) { *p = (void *)8; return 0; }
int nvrtcCompileProgram(void *p) { return 0; }
int nvrtcDestroyProgram(void **p) { return 0; }
int nvrtcGetCUBINSize(void *p, unsigned long *n) { *n = 4; return 0; }
int nvrtcGetCUBIN(void *p, char *to) { memcpy(to, "cubi", 4); return 0; }
int nvrtcGetProgramLogSize(void *p, unsigned long *n) { *n = 0; return 0; }
int nvrtcGetProgramLog(void *p, char *to) { return 0; }
"#;

/// cuBLASLt: it takes every product, and multiplies by counting; whatever is created is counted in `alive`.
const BLAS: &str = r#"
#include <stddef.h>
#include <string.h>
static int alive, products;
int fake_blas_alive(void) { return alive; }
int fake_products(void) { return products; }
size_t cublasLtGetVersion(void) { return 130002; }
int cublasLtCreate(void **h) { *h = (void *)512; alive++; return 0; }
int cublasLtDestroy(void *h) { alive--; return 0; }
int cublasLtMatmulDescCreate(void **d, int compute, int scale) { *d = (void *)(size_t)compute; alive++; return scale; }
int cublasLtMatmulDescDestroy(void *d) { alive--; return 0; }
// CUBLASLT_MATMUL_DESC_EPILOGUE is 7, CUBLASLT_EPILOGUE_BIAS 4, with a rectifier 6; CUBLASLT_MATMUL_DESC_BIAS_POINTER is 8.
static int epilogue;
static const float *bias;
int cublasLtMatmulDescSetAttribute(void *d, int a, const void *v, size_t n) {
    if (a == 7) { epilogue = *(int *)v; return n == 4 && (epilogue == 4 || epilogue == 6) ? 0 : 7; }
    if (a == 8) { bias = *(const float **)v; return n == 8 ? 0 : 7; }
    return n == 4 && *(int *)v <= 1 ? 0 : 7;
}
int cublasLtMatrixLayoutCreate(void **l, int t, unsigned long r, unsigned long c, long ld) {
    // CUDA_R_32F is 0, CUDA_R_16BF is 14.
    *l = (void *)(size_t)(576 + t); alive++; return ld >= (long)r && (t == 0 || t == 14) ? 0 : 7;
}
int cublasLtMatrixLayoutDestroy(void *l) { alive--; return 0; }
int cublasLtMatrixLayoutSetAttribute(void *l, int a, const void *v, size_t n) { return 0; }
int cublasLtMatmulPreferenceCreate(void **p) { *p = (void *)640; alive++; return 0; }
int cublasLtMatmulPreferenceDestroy(void *p) { alive--; return 0; }
int cublasLtMatmulPreferenceSetAttribute(void *p, int a, const void *v, size_t n) {
    // Never sums in place, whose order is one of chance.
    return a == 3 && (*(unsigned *)v & 1) ? 7 : 0;
}
int cublasLtMatmulAlgoGetHeuristic(void *h, void *d, void *a, void *b, void *c, void *e, void *p, int n, void *r, int *found) {
    memset(r, 0, 296);
    ((size_t *)r)[8] = 1 << 20; // scratch, behind the 64 bytes of the algorithm
    *found = 1;
    // Both factors are of one type, the result is float32.
    if (a != b || c != (void *)576 || e != c) return 7;
    return (size_t)d == 75 ? 15 : 0;
}
int cublasLtMatmul(void *h, void *d, const float *alpha, const void *a, void *al, const void *b, void *bl,
                   const float *beta, const void *c, void *cl, float *to, void *dl, const void *algo, void *w, size_t n,
                   void *stream) {
    products++;
    if (n < 1 << 20 || !w) return 1;
    to[0] = (float)(size_t)d + *alpha + *beta + (al == (void *)(576 + 14) ? 100 : 0);
    if (epilogue) to[0] += 1000 * epilogue + bias[0];
    epilogue = 0;
    return 0;
}
"#;

/// The variable that says that this is the process with the fakes.
const INSIDE: &str = "DIABOLO_FAKE_DRIVER";

/// Runs a test of this file in a process that finds the fakes; `blas` says whether cuBLASLt is among them.
fn outside(test: &str, blas: bool, more: &[(&str, String)]) -> Option<(bool, String)> {
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: only the loader of Linux is told where to look by a variable");
        return None;
    }
    let folder = folder("driver");
    let mut libraries = vec![("libcuda.so.1", DRIVER), ("libnvrtc.so.13", NVRTC)];
    if blas {
        libraries.push(("libcublasLt.so.13", BLAS));
    }
    for (name, code) in libraries {
        std::fs::copy(shared_library(name, code)?, folder.join(name)).unwrap();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&format!("cuda::gpu::tests::{test}"), "--exact", "--nocapture", "--test-threads=1"]);
    command.env(INSIDE, &folder).env("LD_LIBRARY_PATH", &folder).env("DIABOLO_CACHE", folder.join("cache"));
    command.env("DIABOLO_NVRTC", folder.join("libnvrtc.so.13"));
    let output = command.envs(more.iter().cloned()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// A number that a fake counts.
fn count(library: &str, name: &str) -> i32 {
    let path = PathBuf::from(std::env::var_os(INSIDE).unwrap()).join(library);
    // SAFETY: the libraries and their functions are the ones above.
    unsafe {
        let library = libloading::Library::new(path).unwrap();
        let function = library.get::<unsafe extern "C" fn() -> i32>(name).unwrap();
        function()
    }
}

fn alive() -> i32 {
    count("libcuda.so.1", "fake_alive")
}

const TEXT: &str = "not compiled by the fake";

fn tape(kernel: &'static str) -> Tape {
    let mut recorder = Recorder::default();
    let to = Argument::Output(Pointer { space: Space::Outputs, start: 1 });
    let arguments = [to, Argument::Size(2), Argument::Number(0.5), Argument::Site(3), Argument::Clock];
    recorder.launch(kernel, [3, 2, 1], 64, &arguments);
    let axis = |a, b, c| vec![Axis { size: 8, a, b, c }];
    let at = |space| Pointer::new(space);
    recorder.product(Product {
        outer: vec![],
        m: axis(8, 0, 8),
        n: axis(0, 1, 1),
        k: axis(1, 8, 0),
        a: at(Space::Inputs),
        b: at(Space::Inputs),
        c: at(Space::Gradients),
        accumulate: false,
    });
    recorder.inspect(0, Pointer::new(Space::Outputs), 4);
    recorder.finish()
}

/// Everything that training asks of a device; in bfloat16 with copies of factors from `copied_from` on.
fn everything(
    kernel: &'static str,
    precision: Precision,
    copied_from: Option<usize>,
) -> Result<(Vec<f32>, f32)> {
    let gpu = Gpu::open(1)?;
    assert_eq!(gpu.description().architecture, "sm_90");
    // A name without an end is cut.
    assert_eq!(gpu.description().name.len(), 255);
    assert_eq!(gpu.description().driver, "CUDA 13.0");
    let driver = Shared::new(gpu);
    let loaded = Arc::new(Loaded::new(&driver, TEXT)?);
    let mut layout = Layout::default();
    let tape = tape(kernel);
    let copies = Copies::of(&tape, Products { precision, copied_from });
    let places = Places {
        inputs: layout.add(64)?,
        copies: layout.add(copies.elements())?,
        gradients: layout.add(64)?,
        outputs: layout.add(4)?,
        clock: layout.add(6)?,
        ..Places::default()
    };
    let arena = Arc::new(Arena::new(&driver, &layout)?);
    arena.write(places.clock, &[7u32, 0, 0, 0, 0, 0])?;
    let actions = actions(&tape, loaded.module(), &places, &arena, (precision, &copies))?;
    let mut shown = Vec::new();
    play(&arena, &[&loaded], &actions, |_, values| shown.extend_from_slice(values))?;
    let captured = Captured::new(&arena, std::slice::from_ref(&loaded), &actions)?;
    captured.run()?;
    let mut product = [0.0f32; 64];
    arena.read(places.gradients, &mut product)?;
    Ok((shown, product[0]))
}

#[test]
fn all_that_training_asks_reaches_the_driver() {
    if inside() {
        assert_eq!(everything("one", Precision::Float32, None), Ok((vec![0.0, 0.0, 0.0, 3.5], 0.0)));
        // Played: the kernel and that of the product; captured: both again; and the graph.
        assert_eq!(count("libcuda.so.1", "fake_launches"), 104);
        return assert_eq!(alive(), 0, "something was not given back");
    }
    let Some((passed, text)) = outside("all_that_training_asks_reaches_the_driver", false, &[]) else {
        return;
    };
    assert!(passed, "{text}");
}

#[test]
fn what_touches_nothing_of_each_other_is_captured_side_by_side() {
    if inside() {
        let driver = Shared::new(Gpu::open(0).unwrap());
        let loaded = Arc::new(Loaded::new(&driver, TEXT).unwrap());
        let mut layout = Layout::default();
        let mut room = || layout.add(8).unwrap();
        let places =
            Places { inputs: room(), outputs: room(), metrics: room(), states: room(), ..Places::default() };
        let arena = Arc::new(Arena::new(&driver, &layout).unwrap());
        let mut recorder = Recorder::default();
        let mut launch = |from, to| {
            let [from, to] = [from, to].map(Pointer::new);
            let arguments = [Argument::Output(to), Argument::Pointer(from)];
            recorder.launch("one", [1, 1, 1], 32, &arguments);
        };
        launch(Space::Inputs, Space::Outputs); // 0
        launch(Space::Outputs, Space::Metrics); // 1
        launch(Space::Outputs, Space::States); // 2, beside 1
        launch(Space::Metrics, Space::States); // 3 after both
        let plain = (Precision::Float32, &Copies::default());
        let actions = actions(&recorder.finish(), loaded.module(), &places, &arena, plain).unwrap();
        let captured = Captured::new(&arena, std::slice::from_ref(&loaded), &actions).unwrap();
        let path = PathBuf::from(std::env::var_os(INSIDE).unwrap()).join("libcuda.so.1");
        // SAFETY: the library and its function are the ones above.
        let follows = |a: i32, b: i32| unsafe {
            let library = libloading::Library::new(&path).unwrap();
            library.get::<unsafe extern "C" fn(i32, i32) -> i32>("fake_follows").unwrap()(a, b) == 1
        };
        let all = (0..4).map(|a| (0..4).filter(|b| follows(a, *b)).collect::<Vec<_>>());
        assert_eq!(all.collect::<Vec<_>>(), [vec![], vec![0], vec![0], vec![1, 2]]);
        return drop(captured);
    }
    let name = "what_touches_nothing_of_each_other_is_captured_side_by_side";
    let Some((passed, text)) = outside(name, false, &[]) else { return };
    assert!(passed, "{text}");
}

#[test]
fn products_go_to_the_library_in_the_precision_that_was_named() {
    if inside() {
        // CUBLAS_COMPUTE_32F is 68, CUBLAS_COMPUTE_32F_FAST_TF32 is 77; alpha is 1, beta 0.
        assert_eq!(everything("one", Precision::Float32, None).map(|(_, product)| product), Ok(69.0));
        assert_eq!(everything("one", Precision::Tf32, None).map(|(_, product)| product), Ok(78.0));
        assert_eq!(count("libcublasLt.so.13", "fake_products"), 4);
        // This library has no algorithm for CUBLAS_COMPUTE_32F_FAST_16BF: then kernels of ours compute it.
        assert_eq!(everything("one", Precision::Bf16, None).map(|(_, product)| product), Ok(0.0));
        assert_eq!(count("libcublasLt.so.13", "fake_products"), 4);
        // It has one for factors that lie as bfloat16, in CUBLAS_COMPUTE_32F; with them it answers a hundred more.
        assert_eq!(everything("one", Precision::Bf16, Some(8)).map(|(_, product)| product), Ok(169.0));
        assert_eq!(count("libcublasLt.so.13", "fake_products"), 6);
        assert_eq!(count("libcublasLt.so.13", "fake_blas_alive"), 0);
        return assert_eq!(alive(), 0);
    }
    let name = "products_go_to_the_library_in_the_precision_that_was_named";
    let Some((passed, text)) = outside(name, true, &[]) else { return };
    assert!(passed, "{text}");
}

#[test]
fn a_layer_is_a_product_with_an_end() {
    if inside() {
        let driver = Shared::new(Gpu::open(0).unwrap());
        let loaded = Arc::new(Loaded::new(&driver, TEXT).unwrap());
        let mut layout = Layout::default();
        let mut room = |elements| layout.add(elements).unwrap();
        let places =
            Places { inputs: room(64), gradients: room(64), params: vec![room(8)], ..Places::default() };
        let arena = Arc::new(Arena::new(&driver, &layout).unwrap());
        arena.write(places.params[0], &[0.25f32; 8]).unwrap();
        for (relu, ends) in [(false, 4000.0), (true, 6000.0)] {
            let mut tape = tape("one");
            tape.commands.truncate(2);
            tape.commands.swap(0, 1);
            let to = Pointer::new(Space::Gradients);
            tape.layers = vec![Layer { product: 0, bias: Pointer::new(Space::Param(0)), relu, to }];
            let how = (Precision::Tf32, &Copies::default());
            let actions = actions(&tape, loaded.module(), &places, &arena, how).unwrap();
            play(&arena, &[&loaded], &actions, |_, _| ()).unwrap();
            let mut product = [0.0f32; 64];
            arena.read(places.gradients, &mut product).unwrap();
            // CUBLAS_COMPUTE_32F_FAST_TF32 is 77; alpha is 1.
            assert_eq!(product[0], 78.0 + ends + 0.25);
        }
        return assert_eq!(count("libcuda.so.1", "fake_launches"), 0, "the launch is done by the library");
    }
    let Some((passed, text)) = outside("a_layer_is_a_product_with_an_end", true, &[]) else { return };
    assert!(passed, "{text}");
}

#[test]
fn whatever_the_driver_refuses_is_an_error_and_nothing_is_kept() {
    if inside() {
        let result = everything("one", Precision::Float32, None);
        println!("\ncalls {}", count("libcuda.so.1", "fake_calls"));
        println!("alive {}", alive());
        return match result {
            Ok(_) => println!("result fine"),
            Err(error) => println!("result {error}"),
        };
    }
    let name = "whatever_the_driver_refuses_is_an_error_and_nothing_is_kept";
    let run = |more: &[(&str, String)]| {
        let (passed, text) = outside(name, false, more)?;
        assert!(passed, "it panics: {text}");
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        Some(lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<HashMap<_, _>>())
    };
    let Some(fine) = run(&[]) else { return };
    assert_eq!(fine["result"], "fine");
    let calls: usize = fine["calls"].parse().unwrap();
    for at in 0..calls {
        // A process each: every call loses the device, every seventh is refused as well.
        let ways = [(719, "the device is lost: `"), (1, "the CUDA driver refused `")];
        for (status, expected) in ways.into_iter().take(if at % 7 == 0 { 2 } else { 1 }) {
            let Some(found) = run(&[("FAKE_FAILS", at.to_string()), ("FAKE_STATUS", status.to_string())])
            else {
                return;
            };
            let result = &found["result"];
            // What fails while things are given back has nobody to tell.
            assert!(result.starts_with(expected) || result == "fine", "call {at}: {result}");
            assert_eq!(found["alive"], "0", "call {at}: something is kept after: {result}");
        }
    }
    let Some(found) = run(&[("FAKE_FAILS", "7".into()), ("FAKE_STATUS", "2".into())]) else { return };
    assert_ne!(found["result"], "fine");
}

#[test]
fn out_of_memory_says_how_much() {
    if inside() {
        let mut gpu = Gpu::open(0).unwrap();
        let calls = count("libcuda.so.1", "fake_calls");
        println!("\ncalls {calls}");
        if std::env::var_os("FAKE_FAILS").is_some() {
            let wanted = Err(Error::Memory { wanted: 4096, free: 1 << 20 });
            assert_eq!(gpu.allocate(4096), wanted);
        }
        return;
    }
    let run = |more: &[(&str, String)]| outside("out_of_memory_says_how_much", false, more);
    let Some((passed, text)) = run(&[]) else { return };
    assert!(passed, "{text}");
    let calls = text.lines().find_map(|line| line.strip_prefix("calls ")).unwrap().to_owned();
    let Some((passed, text)) = run(&[("FAKE_FAILS", calls), ("FAKE_STATUS", "2".into())]) else { return };
    assert!(passed, "{text}");
}

#[test]
fn a_kernel_or_a_device_that_is_not_there_is_named() {
    if inside() {
        let error = everything("absent", Precision::Float32, None).unwrap_err();
        assert_eq!(error.to_string(), "no kernel `absent` in a text that is loaded");
        let error = Gpu::open(2).map(drop).unwrap_err();
        assert_eq!(error.to_string(), "no such CUDA device: number 2 of 2 devices, counted from 0");
        return assert_eq!(alive(), 0);
    }
    let Some((passed, text)) = outside("a_kernel_or_a_device_that_is_not_there_is_named", false, &[]) else {
        return;
    };
    assert!(passed, "{text}");
}

#[test]
fn a_machine_without_cuda_says_so() {
    match Gpu::open(0) {
        Ok(gpu) => println!("{}", gpu.description()),
        Err(error) => println!("skipped: no CUDA device ({error})"),
    }
}
