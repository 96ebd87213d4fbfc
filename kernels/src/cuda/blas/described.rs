//! What cuBLASLt is told of a product: descriptions that are created, given attributes, and destroyed.
//!
//! In: sizes, types, places. Out: handles for as long as they live. Never: a choice.

use std::ffi::c_void;

use cudarc::cublaslt::result;
use cudarc::cublaslt::sys;

use super::super::driver::Placed;
use super::super::error::{Error, Result};
use super::super::plain::Matrix;
use super::{BLAS, check};

/// Something of the library's that is created, given attributes, and destroyed.
macro_rules! owned {
    ($name:ident, $handle:ty, $attribute:ty, $set:path, $destroy:path, $call:literal) => {
        pub(super) struct $name(pub $handle);

        impl $name {
            pub fn set<V: Copy>(&self, attribute: $attribute, value: V) -> Result<()> {
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
    pub fn new(compute: sys::cublasComputeType_t) -> Result<Self> {
        let created = result::create_matmul_desc(compute, sys::cudaDataType::CUDA_R_32F);
        check("cublasLtMatmulDescCreate", created).map(Description)
    }

    /// Says where the bias of a layer lies.
    pub fn bias(&self, product: &Placed) -> Result<()> {
        use sys::cublasLtMatmulDescAttributes_t::CUBLASLT_MATMUL_DESC_BIAS_POINTER;
        product.finish.map_or(Ok(()), |finish| self.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, finish.bias))
    }
}

impl Preference {
    pub fn new() -> Result<Self> {
        check("cublasLtMatmulPreferenceCreate", result::create_matmul_pref()).map(Preference)
    }
}

impl Layout {
    pub fn new(matrix: &Matrix, batch: usize, kind: sys::cudaDataType) -> Result<Self> {
        use sys::cublasLtMatrixLayoutAttribute_t::{
            CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
        };
        let Matrix { rows, columns, leading, stride, .. } = *matrix;
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
