//! Matrix products by cuBLASLt, where it is there.
//!
//! In: products that are plain ones. Out: the same in the precision that was named. Never: TF32 or bfloat16 that nobody
//! asked for; an algorithm whose sums come in an order of chance; a failure where the library is missing: then there
//! is none.

mod described;

use std::collections::HashMap;
use std::ffi::c_void;

use cudarc::cublaslt::result::{self, CublasError};
use cudarc::cublaslt::sys;
use cudarc::driver::result as driver;

use super::driver::{Placed, Precision};
use super::error::{Error, Result, check as check_driver};
use super::library::Library;
use super::nvrtc::folders;
use super::plain::Plain;
use described::{Description, Layout, Preference};

/// What is called of it: cudarc would panic at the first that is missing.
const FUNCTIONS: &[&str] = &[
    "cublasLtCreate",
    "cublasLtDestroy",
    "cublasLtMatmul",
    "cublasLtMatmulAlgoGetHeuristic",
    "cublasLtMatmulDescCreate",
    "cublasLtMatmulDescDestroy",
    "cublasLtMatmulDescSetAttribute",
    "cublasLtMatmulPreferenceCreate",
    "cublasLtMatmulPreferenceDestroy",
    "cublasLtMatmulPreferenceSetAttribute",
    "cublasLtMatrixLayoutCreate",
    "cublasLtMatrixLayoutDestroy",
    "cublasLtMatrixLayoutSetAttribute",
];

/// The first version that is enough, as it counts: 13.0.0.
const NEEDED: usize = 130_000;

/// Scratch of the library: what NVIDIA recommends for Hopper.
const WORKSPACE: usize = 32 << 20;
/// So many products that need scratch may run beside each other.
pub(super) const SCRATCHES: usize = 4;

/// Products of so many rows, columns and terms gain by factors that lie as bfloat16. On paper, for 4.8 TB/s, 700 TFLOP/s of
/// bfloat16 and half of that where factors are rounded on their way: a copy of both factors, each of which two products read,
/// costs as much as it gains for 512 rows and columns. No device has measured it yet.
pub(super) const COPIED_FROM: usize = 512;

/// What an algorithm is chosen for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    plain: Plain,
    /// How many bytes the places of the factors and the result are multiples of.
    aligned: [u32; 3],
    precision: Precision,
    copied: bool,
    /// Whether a layer ends in a rectifier, and how its bias is aligned.
    finish: Option<(bool, u32)>,
}

/// The library with its scratch.
pub(super) struct Blas {
    handle: sys::cublasLtHandle_t,
    /// [`SCRATCHES`] times [`WORKSPACE`] bytes.
    workspace: u64,
    /// The one that the next product gets.
    next: usize,
    chosen: HashMap<Key, Option<Chosen>>,
}

/// A product with the algorithm that the library has chosen.
struct Chosen {
    description: Description,
    layouts: [Layout; 3],
    algorithm: sys::cublasLtMatmulAlgo_t,
    /// Bytes of scratch that it needs.
    needs: usize,
}

impl Blas {
    /// The library, or nothing where there is none that will do. A context is bound.
    pub fn open() -> Option<Blas> {
        if !present() {
            return None;
        }
        let handle = result::create_handle().ok()?;
        // SAFETY: scratch of the library's, given back in `Drop`.
        match unsafe { driver::malloc_sync(SCRATCHES * WORKSPACE) } {
            Ok(workspace) => Some(Blas { handle, workspace, next: 0, chosen: HashMap::new() }),
            Err(_) => {
                // SAFETY: just created.
                let _ = unsafe { result::destroy_handle(handle) };
                None
            }
        }
    }

    /// Whether it has an algorithm for a product.
    pub fn takes(&mut self, product: &Placed) -> Result<bool> {
        let Some(key) = Key::of(product) else { return Ok(false) };
        self.choose(key, product)?;
        Ok(matches!(self.chosen.get(&key), Some(Some(_))))
    }

    /// Asks for an algorithm, once for a product.
    fn choose(&mut self, key: Key, product: &Placed) -> Result<()> {
        if self.chosen.contains_key(&key) {
            return Ok(());
        }
        let chosen = match Chosen::new(self.handle, &key, product) {
            Ok(chosen) => Some(chosen),
            // CUBLAS_STATUS_INVALID_VALUE, CUBLAS_STATUS_ARCH_MISMATCH, CUBLAS_STATUS_NOT_SUPPORTED
            Err(Error::Refused { code: 7 | 8 | 15, .. }) => None,
            Err(error) => return Err(error),
        };
        self.chosen.insert(key, chosen);
        Ok(())
    }

    /// The scratch that a product gets, in turn; none where it needs none.
    pub fn scratch(&mut self, product: &Placed) -> Result<Option<usize>> {
        if self.chosen(product)?.1.needs == 0 {
            return Ok(None);
        }
        self.next = (self.next + 1) % SCRATCHES;
        Ok(Some(self.next))
    }

    fn chosen(&mut self, product: &Placed) -> Result<(Key, &Chosen)> {
        let none = || Error::Program { what: "a product that cuBLASLt does not take".to_owned() };
        let key = Key::of(product).ok_or_else(none)?;
        self.choose(key, product)?;
        match self.chosen.get(&key) {
            Some(Some(chosen)) => Ok((key, chosen)),
            _ => Err(none()),
        }
    }

    /// Multiplies, with a scratch of [`Blas::scratch`].
    ///
    /// # Safety
    /// Factors and result lie inside allocations; the stream lives; nothing that runs beside it has this scratch.
    pub unsafe fn multiply(
        &mut self,
        product: &Placed,
        stream: cudarc::driver::sys::CUstream,
        scratch: Option<usize>,
    ) -> Result<()> {
        let (handle, workspace) = (self.handle, self.workspace + (scratch.unwrap_or(0) * WORKSPACE) as u64);
        let (Key { plain, .. }, chosen) = self.chosen(product)?;
        chosen.description.bias(product)?;
        let (alpha, beta) = (1.0f32, if plain.accumulate { 1.0f32 } else { 0.0 });
        let (first, second) = if plain.swapped { (product.b, product.a) } else { (product.a, product.b) };
        let number = |value: &f32| std::ptr::from_ref(value).cast::<c_void>();
        let [first_layout, second_layout, result_layout] = &chosen.layouts;
        // SAFETY: the caller's promise; descriptions live as long as `self`; alpha and beta are read before it returns.
        let status = unsafe {
            result::matmul(
                handle,
                chosen.description.0,
                number(&alpha),
                number(&beta),
                first as *const c_void,
                first_layout.0,
                second as *const c_void,
                second_layout.0,
                product.c as *const c_void,
                result_layout.0,
                product.c as *mut c_void,
                result_layout.0,
                &chosen.algorithm,
                workspace as *mut c_void,
                if scratch.is_some() { WORKSPACE } else { 0 },
                stream.cast(),
            )
        };
        check("cublasLtMatmul", status)
    }
}

impl Drop for Blas {
    fn drop(&mut self) {
        self.chosen.clear();
        // SAFETY: both were made in `open`; whoever drops this has bound the context and waited.
        unsafe {
            let _ = check_driver("cuMemFree", driver::free_sync(self.workspace));
            let _ = result::destroy_handle(self.handle);
        }
    }
}

impl Key {
    /// Nothing where it is no plain product.
    fn of(placed: &Placed) -> Option<Key> {
        let Placed { ref product, a, b, c, precision, copied, finish } = *placed;
        let aligned = |address: u64| 1u32 << address.trailing_zeros().min(8);
        let finish = finish.map(|finish| (finish.relu, aligned(finish.bias)));
        let plain = Plain::of(product).filter(|plain| finish.is_none() || plain.takes_bias())?;
        Some(Key { plain, aligned: [a, b, c].map(aligned), precision, copied, finish })
    }

    fn compute(&self) -> sys::cublasComputeType_t {
        match self.precision {
            // What lies as bfloat16 needs no rounding: sums are the same as everywhere.
            _ if self.copied => sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
            Precision::Float32 => sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
            Precision::Tf32 => sys::cublasComputeType_t::CUBLAS_COMPUTE_32F_FAST_TF32,
            Precision::Bf16 => sys::cublasComputeType_t::CUBLAS_COMPUTE_32F_FAST_16BF,
        }
    }

    /// What the elements of the factors are.
    fn factors(&self) -> sys::cudaDataType {
        if self.copied { sys::cudaDataType::CUDA_R_16BF } else { sys::cudaDataType::CUDA_R_32F }
    }
}

impl Chosen {
    fn new(handle: sys::cublasLtHandle_t, key: &Key, placed: &Placed) -> Result<Self> {
        use sys::cublasLtMatmulDescAttributes_t::{
            CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_MATMUL_DESC_TRANSA, CUBLASLT_MATMUL_DESC_TRANSB,
        };
        use sys::cublasLtMatmulPreferenceAttributes_t::{
            CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        };
        let Plain { first, second, result, swapped, batch, .. } = &key.plain;
        let description = Description::new(key.compute())?;
        // CUBLAS_OP_N is 0, CUBLAS_OP_T is 1.
        description.set(CUBLASLT_MATMUL_DESC_TRANSA, i32::from(first.transposed))?;
        description.set(CUBLASLT_MATMUL_DESC_TRANSB, i32::from(second.transposed))?;
        if let Some((relu, _)) = key.finish {
            use sys::cublasLtEpilogue_t::{CUBLASLT_EPILOGUE_BIAS, CUBLASLT_EPILOGUE_RELU_BIAS};
            let epilogue = if relu { CUBLASLT_EPILOGUE_RELU_BIAS } else { CUBLASLT_EPILOGUE_BIAS };
            description.set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue as u32)?;
        }
        description.bias(placed)?;
        let factor = |matrix| Layout::new(matrix, *batch, key.factors());
        let result = Layout::new(result, *batch, sys::cudaDataType::CUDA_R_32F)?;
        let layouts = [factor(first)?, factor(second)?, result];
        let preference = Preference::new()?;
        preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, WORKSPACE as u64)?;
        // Parts of a sum are added in a fixed order, from scratch; adding in place is in the order of who comes first.
        let schemes = sys::cublasLtReductionScheme_t::CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE as u32
            | sys::cublasLtReductionScheme_t::CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE as u32;
        preference.set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, schemes)?;
        let [a, b, c] = key.aligned;
        let (a, b) = if *swapped { (b, a) } else { (a, b) };
        preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, a)?;
        preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, b)?;
        preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, c)?;
        preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, c)?;
        let [first, second, result] = &layouts;
        // SAFETY: all of them were created above and live.
        let found = unsafe {
            result::get_matmul_algo_heuristic(
                handle,
                description.0,
                first.0,
                second.0,
                result.0,
                result.0,
                preference.0,
            )
        };
        let found = check("cublasLtMatmulAlgoGetHeuristic", found)?;
        Ok(Chosen { description, layouts, algorithm: found.algo, needs: found.workspaceSize })
    }
}

const BLAS: &str = "cuBLASLt";

fn check<T>(call: &'static str, result: Result<T, CublasError>) -> Result<T> {
    result.map_err(|error| Error::Refused { what: BLAS, call, code: i64::from(error.0 as u32) })
}

/// Whether the library that cudarc will find is there, new enough, and has all functions.
fn present() -> bool {
    let names =
        || cudarc::get_lib_name_candidates("cublasLt").into_iter().map(Into::into).collect::<Vec<_>>();
    let library = Library::first(BLAS, &names()).or_else(|_| {
        // One in a folder that no search knows is found by its name once it is loaded.
        let paths = folders().into_iter().map(|folder| folder.join("libcublasLt.so.13"));
        let loaded =
            paths.filter(|path| path.is_file()).find_map(|path| Library::open(BLAS, path.as_os_str()).ok());
        loaded.map_or_else(|| Library::first(BLAS, &[]), |_| Library::first(BLAS, &names()))
    });
    let Ok(library) = library else { return false };
    // SAFETY: the type is that of cublasLt.h.
    let version = unsafe { library.function::<unsafe extern "C" fn() -> usize>("cublasLtGetVersion") };
    // SAFETY: it takes nothing and answers a number.
    let new_enough = version.is_ok_and(|version| unsafe { version() } >= NEEDED);
    // SAFETY: libraries are looked for, by the names tried above.
    new_enough && FUNCTIONS.iter().all(|name| library.has(name)) && unsafe { sys::is_culib_present() }
}
