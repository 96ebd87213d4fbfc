//! NVRTC: text to a cubin. It needs no device.
//!
//! In: CUDA C, an architecture, options. Out: the machine code and what the compiler says. Never: a panic for a library
//! that is missing or answers nonsense; a flag that lets products and sums contract by themselves.
//!
//! Found are, in this order: the path in `DIABOLO_NVRTC` and nothing else if it is set; the library by its usual names; the
//! folders of a toolkit (`CUDA_HOME`, `CUDA_PATH`, `/usr/local/cuda`); those of the Python wheel `nvidia-cuda-nvrtc`.

use std::ffi::{CStr, CString, OsStr, OsString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::null;
use std::sync::OnceLock;

use super::error::{Error, Result};
use super::library::{Library, preload};
use super::probe::Version;

const NVRTC: &str = "NVRTC";
/// The first that is enough.
const NEEDED: Version = Version { major: 13, minor: 0 };
/// More than any log or cubin has.
const LARGEST: usize = 1 << 30;

/// Machine code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// An ELF file for one architecture.
    pub cubin: Vec<u8>,
    /// What the compiler said; with `--ptxas-options=-v` the registers and spills of each kernel.
    pub log: String,
}

type Handle = *mut c_void;
type Size = unsafe extern "C" fn(Handle, *mut usize) -> c_int;
type Bytes = unsafe extern "C" fn(Handle, *mut c_char) -> c_int;
type Strings = *const *const c_char;

/// The library.
pub struct Nvrtc {
    /// Its version.
    pub version: Version,
    library: Library,
    create: unsafe extern "C" fn(*mut Handle, *const c_char, *const c_char, c_int, Strings, Strings) -> c_int,
    compile: unsafe extern "C" fn(Handle, c_int, Strings) -> c_int,
    destroy: unsafe extern "C" fn(*mut Handle) -> c_int,
    cubin: (Size, Bytes),
    log: (Size, Bytes),
}

impl std::fmt::Debug for Nvrtc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NVRTC {} ({})", self.version, self.path().display())
    }
}

/// Compiles for an architecture such as `sm_90`, with options beside those that every text is compiled with.
///
/// # Errors
/// [`Error::Missing`] and [`Error::Old`] where there is no NVRTC that will do, [`Error::Compile`] with its log.
pub fn compile(text: &str, architecture: &str, options: &[&str]) -> Result<Compiled> {
    Nvrtc::find()?.compile(text, architecture, options)
}

/// The options that a text is compiled with.
pub(super) fn all_options<'o>(architecture: &str, options: &[&'o str]) -> Vec<std::borrow::Cow<'o, str>> {
    let mut all = vec![
        format!("--gpu-architecture={architecture}").into(),
        // What contracts says so with fmaf: the CPU's bits, and the same on every architecture.
        "-fmad=false".into(),
        "--std=c++17".into(),
    ];
    all.extend(options.iter().map(|option| (*option).into()));
    all
}

impl Nvrtc {
    /// The library of this machine, looked for once.
    ///
    /// # Errors
    /// [`Error::Missing`], or [`Error::Old`].
    pub fn find() -> Result<&'static Nvrtc> {
        static FOUND: OnceLock<Result<Nvrtc>> = OnceLock::new();
        FOUND.get_or_init(Nvrtc::search).as_ref().map_err(Error::clone)
    }

    fn search() -> Result<Nvrtc> {
        if let Some(path) = std::env::var_os("DIABOLO_NVRTC") {
            return Nvrtc::open(&path);
        }
        let mut old = None;
        let paths = folders().into_iter().filter_map(|folder| in_folder(&folder));
        for name in names().into_iter().chain(paths.map(PathBuf::into_os_string)) {
            match Nvrtc::open(&name) {
                Ok(found) => return Ok(found),
                Err(error @ (Error::Old { .. } | Error::Refused { .. })) => old = old.or(Some(error)),
                Err(_) => {}
            }
        }
        Err(old.unwrap_or_else(|| Error::Missing {
            what: NVRTC,
            reason: "no libnvrtc.so.13 in the usual places; install CUDA 13 or `pip install nvidia-cuda-nvrtc==13.0.88`, \
                     or put its path into DIABOLO_NVRTC"
                .to_owned(),
        }))
    }

    /// The library of that name or path.
    ///
    /// # Errors
    /// As [`Nvrtc::find`].
    pub fn open(name: &OsStr) -> Result<Nvrtc> {
        if let Some(folder) = Path::new(name).parent().filter(|folder| folder.is_absolute()) {
            // It asks for its built-ins by name, which a folder of no search path does not answer.
            preload(folder, "libnvrtc-builtins.so");
        }
        let library = Library::open(NVRTC, name)?;
        // SAFETY: the types are those of nvrtc.h, with the status as the `int` that it is in C.
        unsafe {
            let version: unsafe extern "C" fn(*mut c_int, *mut c_int) -> c_int =
                library.function("nvrtcVersion")?;
            let (mut major, mut minor) = (0, 0);
            check("nvrtcVersion", version(&mut major, &mut minor))?;
            let version = Version { major, minor };
            if version < NEEDED {
                return Err(Error::Old {
                    what: NVRTC,
                    found: format!("{} is version {version}", library.name.display()),
                    remedy: "13.0 or newer is needed",
                });
            }
            Ok(Nvrtc {
                version,
                create: library.function("nvrtcCreateProgram")?,
                compile: library.function("nvrtcCompileProgram")?,
                destroy: library.function("nvrtcDestroyProgram")?,
                cubin: (library.function("nvrtcGetCUBINSize")?, library.function("nvrtcGetCUBIN")?),
                log: (library.function("nvrtcGetProgramLogSize")?, library.function("nvrtcGetProgramLog")?),
                library,
            })
        }
    }

    /// The name or path under which it was found.
    pub fn path(&self) -> &Path {
        &self.library.name
    }

    /// As [`compile`].
    ///
    /// # Errors
    /// [`Error::Compile`] with the log.
    pub fn compile(&self, text: &str, architecture: &str, options: &[&str]) -> Result<Compiled> {
        let text = c_string(text)?;
        let options = all_options(architecture, options);
        let options: Vec<CString> = options.iter().map(|option| c_string(option)).collect::<Result<_>>()?;
        let pointers: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let mut program = Program { nvrtc: self, handle: std::ptr::null_mut() };
        // SAFETY: text and name are C strings that outlive the program; there are no headers, so their lists may be null.
        let status = unsafe {
            (self.create)(&mut program.handle, text.as_ptr(), c"diabolo.cu".as_ptr(), 0, null(), null())
        };
        check("nvrtcCreateProgram", status)?;
        // SAFETY: the program was created; there are as many C strings as the number says.
        let status = unsafe { (self.compile)(program.handle, pointers.len() as c_int, pointers.as_ptr()) };
        let log = program.bytes("nvrtcGetProgramLog", self.log);
        let log = log.map(|bytes| until_nul(&bytes)).unwrap_or_default();
        match status {
            0 => Ok(Compiled { cubin: program.bytes("nvrtcGetCUBIN", self.cubin)?, log }),
            // NVRTC_ERROR_COMPILATION
            6 => Err(Error::Compile { log }),
            _ => Err(Error::Refused { what: NVRTC, call: "nvrtcCompileProgram", code: i64::from(status) }),
        }
    }
}

/// A program of NVRTC's, given back when it goes.
struct Program<'n> {
    nvrtc: &'n Nvrtc,
    handle: Handle,
}

impl Program<'_> {
    /// Asks for a size, then for so many bytes.
    fn bytes(&self, call: &'static str, (size, bytes): (Size, Bytes)) -> Result<Vec<u8>> {
        let mut len = 0;
        // SAFETY: the program was created; `len` outlives the call.
        check(call, unsafe { size(self.handle, &mut len) })?;
        if len > LARGEST {
            return Err(Error::Program { what: format!("NVRTC: `{call}` counts {len} bytes") });
        }
        let mut out = vec![0u8; len];
        if len > 0 {
            // SAFETY: there is room for as many bytes as the library counted.
            check(call, unsafe { bytes(self.handle, out.as_mut_ptr().cast()) })?;
        }
        Ok(out)
    }
}

impl Drop for Program<'_> {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            // SAFETY: created once, given back once. There is nobody to tell of a failure.
            unsafe { (self.nvrtc.destroy)(&mut self.handle) };
        }
    }
}

fn check(call: &'static str, status: c_int) -> Result<()> {
    if status == 0 { Ok(()) } else { Err(Error::Refused { what: NVRTC, call, code: i64::from(status) }) }
}

fn c_string(text: &str) -> Result<CString> {
    CString::new(text)
        .map_err(|_| Error::Program { what: "a text for NVRTC contains a zero byte".to_owned() })
}

fn until_nul(bytes: &[u8]) -> String {
    let text = CStr::from_bytes_until_nul(bytes).map_or(bytes, CStr::to_bytes);
    String::from_utf8_lossy(text).into_owned()
}

/// The names that the system's loader may know.
fn names() -> Vec<OsString> {
    let names: &[&str] = match std::env::consts::OS {
        "windows" => &["nvrtc64_130_0.dll"],
        _ => &["libnvrtc.so.13", "libnvrtc.so"],
    };
    names.iter().map(OsString::from).collect()
}

/// The library in a folder.
fn in_folder(folder: &Path) -> Option<PathBuf> {
    names().iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// The folders of toolkits and of the Python wheel.
pub(super) fn folders() -> Vec<PathBuf> {
    let set =
        |names: &[&str]| names.iter().filter_map(std::env::var_os).map(PathBuf::from).collect::<Vec<_>>();
    let mut folders = Vec::new();
    let mut toolkits = set(&["CUDA_HOME", "CUDA_PATH", "CUDA_ROOT"]);
    toolkits.extend(["/usr/local/cuda", "/usr/local/cuda-13.0", "/opt/cuda"].map(PathBuf::from));
    for root in toolkits {
        folders.extend(["lib64", "lib", "bin", "targets/x86_64-linux/lib"].map(|folder| root.join(folder)));
    }
    let mut roots = set(&["VIRTUAL_ENV", "CONDA_PREFIX"]);
    roots.extend(set(&["HOME"]).into_iter().map(|home| home.join(".local")));
    roots.extend(["/usr/local", "/usr"].map(PathBuf::from));
    for root in roots {
        let Ok(entries) = std::fs::read_dir(root.join("lib")) else { continue };
        let mut pythons: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        pythons.retain(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python3"))
        });
        pythons.sort();
        for packages in
            pythons.iter().flat_map(|path| ["site-packages", "dist-packages"].map(|name| path.join(name)))
        {
            folders.push(packages.join("nvidia/cu13/lib"));
            folders.push(packages.join("nvidia/cuda_nvrtc/lib"));
            folders.push(packages.join("nvidia/cublas/lib"));
        }
    }
    folders
}

#[cfg(test)]
#[path = "nvrtc_tests.rs"]
mod tests;
