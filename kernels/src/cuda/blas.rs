//! Matrix products by cuBLASLt, where it is there.
//!
//! In: products that are plain ones. Out: the same in the precision that was named. Never: TF32 or bfloat16 that nobody
//! asked for; an algorithm whose sums come in an order of chance; a failure where the library is missing: then there
//! is none.

use std::collections::HashMap;
use std::ffi::c_void;

use cudarc::cublaslt::result::{self, CublasError};
use cudarc::cublaslt::sys;
use cudarc::driver::result as driver;

use super::driver::{Placed, Precision};
use super::error::{Error, Result, check as check_driver};
use super::library::Library;
use super::nvrtc::folders;
use super::plain::{Matrix, Plain};

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

/// What an algorithm is chosen for.
type Key = (Plain, [u32; 3], u32);

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
    pub fn takes(&mut self, product: &Placed, precision: Precision) -> Result<bool> {
        let Some(key) = key(product, precision) else { return Ok(false) };
        self.choose(key)?;
        Ok(matches!(self.chosen.get(&key), Some(Some(_))))
    }

    /// Asks for an algorithm, once for a product.
    fn choose(&mut self, key: Key) -> Result<()> {
        if self.chosen.contains_key(&key) {
            return Ok(());
        }
        let chosen = match Chosen::new(self.handle, &key) {
            Ok(chosen) => Some(chosen),
            // CUBLAS_STATUS_INVALID_VALUE, CUBLAS_STATUS_ARCH_MISMATCH, CUBLAS_STATUS_NOT_SUPPORTED
            Err(Error::Refused { code: 7 | 8 | 15, .. }) => None,
            Err(error) => return Err(error),
        };
        self.chosen.insert(key, chosen);
        Ok(())
    }

    /// The scratch that a product gets, in turn; none where it needs none.
    pub fn scratch(&mut self, product: &Placed, precision: Precision) -> Result<Option<usize>> {
        if self.chosen(product, precision)?.1.needs == 0 {
            return Ok(None);
        }
        self.next = (self.next + 1) % SCRATCHES;
        Ok(Some(self.next))
    }

    fn chosen(&mut self, product: &Placed, precision: Precision) -> Result<(Key, &Chosen)> {
        let none = || Error::Program { what: "a product that cuBLASLt does not take".to_owned() };
        let key = key(product, precision).ok_or_else(none)?;
        self.choose(key)?;
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
        precision: Precision,
        stream: cudarc::driver::sys::CUstream,
        scratch: Option<usize>,
    ) -> Result<()> {
        let (handle, workspace) = (self.handle, self.workspace + (scratch.unwrap_or(0) * WORKSPACE) as u64);
        let (key, chosen) = self.chosen(product, precision)?;
        let (alpha, beta) = (1.0f32, if key.0.accumulate { 1.0f32 } else { 0.0 });
        let (first, second) = if key.0.swapped { (product.b, product.a) } else { (product.a, product.b) };
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

/// The product, how its places are aligned, and the precision; nothing where it is no plain product.
fn key(placed: &Placed, precision: Precision) -> Option<Key> {
    let plain = Plain::of(&placed.product)?;
    let aligned = |address: u64| 1u32 << address.trailing_zeros().min(8);
    let compute = match precision {
        Precision::Float32 => sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
        Precision::Tf32 => sys::cublasComputeType_t::CUBLAS_COMPUTE_32F_FAST_TF32,
        Precision::Bf16 => sys::cublasComputeType_t::CUBLAS_COMPUTE_32F_FAST_16BF,
    };
    Some((plain, [placed.a, placed.b, placed.c].map(aligned), compute as u32))
}

fn compute_type(number: u32) -> sys::cublasComputeType_t {
    use sys::cublasComputeType_t::{
        CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_16BF, CUBLAS_COMPUTE_32F_FAST_TF32,
    };
    [CUBLAS_COMPUTE_32F_FAST_TF32, CUBLAS_COMPUTE_32F_FAST_16BF]
        .into_iter()
        .find(|kind| *kind as u32 == number)
        .unwrap_or(CUBLAS_COMPUTE_32F)
}

impl Chosen {
    fn new(handle: sys::cublasLtHandle_t, (plain, alignments, compute): &Key) -> Result<Self> {
        use sys::cublasLtMatmulDescAttributes_t::{CUBLASLT_MATMUL_DESC_TRANSA, CUBLASLT_MATMUL_DESC_TRANSB};
        use sys::cublasLtMatmulPreferenceAttributes_t::{
            CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
            CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        };
        let Plain { first, second, result, swapped, batch, .. } = plain;
        let description = Description::new(compute_type(*compute))?;
        // CUBLAS_OP_N is 0, CUBLAS_OP_T is 1.
        description.set(CUBLASLT_MATMUL_DESC_TRANSA, i32::from(first.transposed))?;
        description.set(CUBLASLT_MATMUL_DESC_TRANSB, i32::from(second.transposed))?;
        let layouts =
            [Layout::new(first, *batch)?, Layout::new(second, *batch)?, Layout::new(result, *batch)?];
        let preference = Preference::new()?;
        preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, WORKSPACE as u64)?;
        // Parts of a sum are added in a fixed order, from scratch; adding in place is in the order of who comes first.
        let schemes = sys::cublasLtReductionScheme_t::CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE as u32
            | sys::cublasLtReductionScheme_t::CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE as u32;
        preference.set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, schemes)?;
        let [a, b, c] = *alignments;
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

/// Something of the library's that is created, given attributes, and destroyed.
macro_rules! owned {
    ($name:ident, $handle:ty, $attribute:ty, $set:path, $destroy:path, $call:literal) => {
        struct $name($handle);

        impl $name {
            fn set<V: Copy>(&self, attribute: $attribute, value: V) -> Result<()> {
                let pointer = std::ptr::from_ref(&value).cast::<c_void>();
                // SAFETY: it was created, and is destroyed in `Drop`; the value is as long as it says.
                check($call, unsafe { $set(self.0, attribute, pointer, size_of::<V>()) })
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: created once, destroyed once.
                let _ = unsafe { $destroy(self.0) };
            }
        }
    };
}

owned!(
    Description,
    sys::cublasLtMatmulDesc_t,
    sys::cublasLtMatmulDescAttributes_t,
    result::set_matmul_desc_attribute,
    result::destroy_matmul_desc,
    "cublasLtMatmulDescSetAttribute"
);
owned!(
    Layout,
    sys::cublasLtMatrixLayout_t,
    sys::cublasLtMatrixLayoutAttribute_t,
    result::set_matrix_layout_attribute,
    result::destroy_matrix_layout,
    "cublasLtMatrixLayoutSetAttribute"
);
owned!(
    Preference,
    sys::cublasLtMatmulPreference_t,
    sys::cublasLtMatmulPreferenceAttributes_t,
    result::set_matmul_pref_attribute,
    result::destroy_matmul_pref,
    "cublasLtMatmulPreferenceSetAttribute"
);

impl Description {
    fn new(compute: sys::cublasComputeType_t) -> Result<Self> {
        let created = result::create_matmul_desc(compute, sys::cudaDataType::CUDA_R_32F);
        check("cublasLtMatmulDescCreate", created).map(Description)
    }
}

impl Preference {
    fn new() -> Result<Self> {
        check("cublasLtMatmulPreferenceCreate", result::create_matmul_pref()).map(Preference)
    }
}

impl Layout {
    fn new(matrix: &Matrix, batch: usize) -> Result<Self> {
        use sys::cublasLtMatrixLayoutAttribute_t::{
            CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
        };
        let Matrix { rows, columns, leading, stride, .. } = *matrix;
        let kind = sys::cudaDataType::CUDA_R_32F;
        let created = result::create_matrix_layout(kind, rows as u64, columns as u64, leading as i64);
        let layout = check("cublasLtMatrixLayoutCreate", created).map(Layout)?;
        if batch > 1 {
            let many = Error::Refused { what: BLAS, call: "cublasLtMatrixLayoutCreate", code: 7 };
            layout.set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, i32::try_from(batch).map_err(|_| many)?)?;
            layout.set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, stride as i64)?;
        }
        Ok(layout)
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
