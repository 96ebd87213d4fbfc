use super::super::testing::shared_library;
use super::*;

/// A driver in C: what its three questions answer, and whether the rest is there.
struct Fake {
    init: i32,
    version: (i32, i32),
    count: (i32, i32),
    missing: &'static str,
}

impl Default for Fake {
    fn default() -> Self {
        Fake { init: 0, version: (0, 13_000), count: (0, 2), missing: "" }
    }
}

/// What is found with such a driver, or nothing where no C compiler is.
fn ask(fake: Fake) -> Option<Result<Found>> {
    let mut functions = vec![
        ("cuInit", format!("int cuInit(unsigned flags) {{ return {}; }}", fake.init)),
        ("cuDriverGetVersion", answer("cuDriverGetVersion", fake.version)),
        ("cuDeviceGetCount", answer("cuDeviceGetCount", fake.count)),
    ];
    functions.extend(FUNCTIONS.iter().map(|name| (*name, format!("int {name}(void) {{ return 999; }}"))));
    functions.retain(|(name, _)| *name != fake.missing);
    let code: Vec<String> = functions.into_iter().map(|(_, code)| code).collect();
    Some(driver_in(&[shared_library("libcuda.so.1", &code.join("\n"))?.into_os_string()]))
}

fn answer(name: &str, (status, value): (i32, i32)) -> String {
    format!("int {name}(int *out) {{ *out = {value}; return {status}; }}")
}

fn line(fake: Fake) -> Option<String> {
    let error = ask(fake)?.expect_err("this driver is no good").to_string();
    assert!(!error.contains('\n'), "{error}");
    Some(error)
}

#[test]
fn a_driver_that_answers_is_found() {
    let Some(found) = ask(Fake::default()) else { return };
    assert_eq!(found, Ok(Found { version: Version { major: 13, minor: 0 }, devices: 2 }));
}

#[test]
fn no_driver_is_a_line_that_says_where_it_comes_from() {
    let error = driver_in(&["libdiabolo-is-no-driver.so".into()]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the CUDA driver is missing: no libcuda.so.1 (nvcuda.dll) can be loaded; it comes with the NVIDIA driver"
    );
}

#[test]
fn a_file_that_is_no_library_is_no_driver() {
    let path = super::super::testing::folder("text").join("libcuda.so.1");
    std::fs::write(&path, "not an ELF file").unwrap();
    assert!(matches!(driver_in(&[path.into()]), Err(Error::Missing { .. })));
}

#[test]
fn every_function_that_is_missing_is_named() {
    let questions = ["cuInit", "cuDriverGetVersion", "cuDeviceGetCount"];
    for name in questions.into_iter().chain(FUNCTIONS.iter().copied()) {
        let Some(error) = line(Fake { missing: name, ..Fake::default() }) else { return };
        assert!(error.starts_with("the CUDA driver is missing: "), "{error}");
        assert!(error.ends_with(&format!("has no `{name}`")), "{error}");
    }
}

#[test]
fn whatever_the_driver_answers_is_a_line() {
    let cases = [
        (
            Fake { init: 100, ..Fake::default() },
            "no such CUDA device: the driver is there, and finds no device",
        ),
        (
            Fake { init: 803, ..Fake::default() },
            "the CUDA driver refused `cuInit` with status 803 (driver and kernel module differ; reboot)",
        ),
        (Fake { init: -12345, ..Fake::default() }, "the CUDA driver refused `cuInit` with status -12345"),
        (Fake { count: (0, 0), ..Fake::default() }, "no such CUDA device: the driver counts 0 devices"),
        (Fake { count: (0, -3), ..Fake::default() }, "no such CUDA device: the driver counts -3 devices"),
        (
            Fake { count: (77_777, 1), ..Fake::default() },
            "the CUDA driver refused `cuDeviceGetCount` with status 77777",
        ),
        (
            Fake { version: (3, 13_000), ..Fake::default() },
            "the CUDA driver refused `cuDriverGetVersion` with status 3",
        ),
        (
            Fake { version: (0, 0), ..Fake::default() },
            "the CUDA driver is too old: it is for CUDA 0.0; 13.0 or newer",
        ),
        (
            Fake { version: (0, -1), ..Fake::default() },
            "the CUDA driver is too old: it is for CUDA 0.0; 13.0 or newer",
        ),
        (
            Fake { version: (0, 12_080), ..Fake::default() },
            "the CUDA driver is too old: it is for CUDA 12.8; 13.0 or newer is needed, which comes with driver 580",
        ),
    ];
    for (fake, expected) in cases {
        let Some(error) = line(fake) else { return };
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn this_machine_is_asked_without_a_panic() {
    match driver() {
        Ok(found) => assert!(found.devices > 0),
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
}
