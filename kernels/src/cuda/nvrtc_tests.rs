use super::super::testing::shared_library;
use super::*;

const KERNEL: &str =
    "extern \"C\" __global__ void twice(float *x) { x[threadIdx.x] = fmaf(2.0f, x[threadIdx.x], 1.0f); }";

/// The real one, or a word that there is none.
fn real() -> Option<&'static Nvrtc> {
    Nvrtc::find().map_err(|error| eprintln!("skipped: no NVRTC ({error})")).ok()
}

/// The functions of a fake, by name.
fn functions(version: (i32, i32, i32), compiled: i32, size: &str) -> Vec<(&'static str, String)> {
    let (status, major, minor) = version;
    vec![
        (
            "nvrtcVersion",
            format!("int nvrtcVersion(int *a, int *b) {{ *a = {major}; *b = {minor}; return {status}; }}"),
        ),
        ("nvrtcCreateProgram", "int nvrtcCreateProgram(void **p) { *p = (void *)8; return 0; }".to_owned()),
        ("nvrtcCompileProgram", format!("int nvrtcCompileProgram(void *p) {{ return {compiled}; }}")),
        ("nvrtcDestroyProgram", "int nvrtcDestroyProgram(void **p) { *p = 0; return 0; }".to_owned()),
        (
            "nvrtcGetCUBINSize",
            format!("int nvrtcGetCUBINSize(void *p, unsigned long *n) {{ *n = {size}; return 0; }}"),
        ),
        ("nvrtcGetCUBIN", "int nvrtcGetCUBIN(void *p, char *to) { to[0] = 'E'; return 0; }".to_owned()),
        (
            "nvrtcGetProgramLogSize",
            "int nvrtcGetProgramLogSize(void *p, unsigned long *n) { *n = 4; return 0; }".to_owned(),
        ),
        (
            "nvrtcGetProgramLog",
            "int nvrtcGetProgramLog(void *p, char *to) { to[0] = 'h'; to[1] = 'i'; return 0; }".to_owned(),
        ),
    ]
}

fn fake(functions: &[(&'static str, String)]) -> Option<Result<Nvrtc>> {
    let code: Vec<&str> = functions.iter().map(|(_, code)| code.as_str()).collect();
    Some(Nvrtc::open(shared_library("libnvrtc.so.13", &code.join("\n"))?.as_os_str()))
}

#[test]
fn a_kernel_becomes_a_cubin_with_its_registers() {
    let Some(nvrtc) = real() else { return };
    for architecture in ["sm_80", "sm_90"] {
        let compiled = nvrtc.compile(KERNEL, architecture, &["--ptxas-options=-v"]).unwrap();
        assert!(compiled.cubin.starts_with(b"\x7fELF"), "no ELF file");
        assert!(compiled.log.contains("registers"), "{}", compiled.log);
    }
    assert_eq!(nvrtc.compile(KERNEL, "sm_90", &[]), nvrtc.compile(KERNEL, "sm_90", &[]), "not reproducible");
}

#[test]
fn a_mistake_is_an_error_with_the_log() {
    let Some(nvrtc) = real() else { return };
    let Err(Error::Compile { log }) =
        nvrtc.compile("extern \"C\" __global__ void f() { unknown(); }", "sm_90", &[])
    else {
        panic!("it compiles")
    };
    assert!(log.contains("unknown"), "{log}");
    let refused = nvrtc.compile(KERNEL, "sm_1", &[]).unwrap_err();
    assert!(matches!(refused, Error::Refused { .. } | Error::Compile { .. }), "{refused}");
    assert!(nvrtc.compile("a\0b", "sm_90", &[]).is_err());
}

#[test]
fn a_product_and_a_sum_do_not_contract_by_themselves() {
    let Some(nvrtc) = real() else { return };
    let kernel =
        |sum: &str| format!("extern \"C\" __global__ void f(float *x, float a, float b) {{ *x = {sum}; }}");
    let cubin = |sum: &str| nvrtc.compile(&kernel(sum), "sm_90", &[]).unwrap().cubin;
    assert_ne!(cubin("a * b + *x"), cubin("fmaf(a, b, *x)"));
}

#[test]
fn a_library_that_is_too_old_says_so() {
    for version in [(0, 12, 8), (0, 0, 0), (0, -5, 3)] {
        let Some(found) = fake(&functions(version, 0, "4")) else { return };
        let error = found.unwrap_err().to_string();
        assert!(error.starts_with("NVRTC is too old: "), "{error}");
        assert!(error.contains(&format!("version {}.{}; 13.0", version.1, version.2)), "{error}");
    }
}

#[test]
fn whatever_the_library_answers_is_a_line() {
    let good = functions((0, 13, 0), 0, "4");
    for missing in good.iter().map(|(name, _)| *name) {
        let rest: Vec<_> = good.iter().filter(|(name, _)| *name != missing).cloned().collect();
        let Some(found) = fake(&rest) else { return };
        let error = found.unwrap_err().to_string();
        assert!(error.ends_with(&format!("has no `{missing}`")), "{error}");
    }
    let Some(nvrtc) = fake(&good) else { return };
    let compiled = nvrtc.unwrap().compile("", "sm_90", &[]).unwrap();
    assert_eq!((compiled.cubin.as_slice(), compiled.log.as_str()), (b"E\0\0\0".as_slice(), "hi"));
    let cases = [
        (functions((-9, 13, 0), 0, "4"), "NVRTC refused `nvrtcVersion` with status -9"),
        (functions((0, 13, 0), 6, "4"), "a kernel does not compile: hi"),
        (functions((0, 13, 0), 4711, "4"), "NVRTC refused `nvrtcCompileProgram` with status 4711"),
        (functions((0, 13, 0), 0, "~0ul"), "NVRTC: `nvrtcGetCUBIN` counts 18446744073709551615 bytes"),
    ];
    for (functions, expected) in cases {
        let Some(found) = fake(&functions) else { return };
        let error = found.and_then(|nvrtc| nvrtc.compile("", "sm_90", &[])).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
