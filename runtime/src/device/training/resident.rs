//! Data that lie on a device for the whole of training.
//!
//! In: columns of data. Out: where each lies. Never: a copy of all at once on the way there.

use diabolo_kernels::cuda::arena::{Arena, Layout, Range};

use super::{PIECE, Result};
use crate::data::Data;
use crate::error::Error;
use crate::program::Spec;

/// Columns of data on the device, by name.
pub(super) struct Resident<'d> {
    pub data: &'d Data,
    pub columns: Vec<(&'static str, Range)>,
}

impl<'d> Resident<'d> {
    pub fn new(
        data: &'d Data,
        specs: impl Iterator<Item = &'static Spec>,
        layout: &mut Layout,
    ) -> Result<Self> {
        u32::try_from(data.rows())
            .map_err(|_| Error::config("a device takes data of fewer than 2³² rows"))?;
        let mut columns: Vec<(&'static str, Range)> = Vec::new();
        for input in specs.flat_map(|spec| spec.inputs) {
            if !columns.iter().any(|(name, _)| *name == input.name) {
                let width = data.column(input.name)?.width();
                let elements = width.saturating_mul(data.rows());
                columns.push((input.name, layout.add(elements)?));
            }
        }
        Ok(Resident { data, columns })
    }

    /// The columns of a program's inputs.
    pub fn of(&self, spec: &Spec) -> Vec<Range> {
        let range =
            |name: &str| self.columns.iter().find(|(known, _)| *known == name).map(|(_, range)| *range);
        spec.inputs.iter().filter_map(|input| range(input.name)).collect()
    }

    pub fn upload(&self, arena: &Arena) -> Result<()> {
        for (name, range) in &self.columns {
            let column = self.data.column(name)?;
            let width = column.width().max(1);
            let step = (PIECE / width).max(1);
            let mut values = vec![0.0f32; step.min(self.data.rows()) * width];
            for start in (0..self.data.rows()).step_by(step) {
                let rows = start..(start + step).min(self.data.rows());
                let piece = &mut values[..rows.len() * width];
                column.copy_rows(rows, piece)?;
                arena.write(range.part(start * width, piece.len())?, piece)?;
            }
        }
        Ok(())
    }
}
