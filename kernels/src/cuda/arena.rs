//! Memory of a device, allocated once.
//!
//! In: sizes, all of them before the first byte is asked for. Out: ranges of one allocation. Never: a copy beyond the end
//! of a range, an allocation that outlives its owner.

use super::driver::{Address, Shared};
use super::error::{Error, Result};

/// Every range begins at a multiple of so many bytes: what tensor-core products and wide loads ask for.
pub(super) const ALIGNED: usize = 256;

/// Elements of four bytes in a row, in an arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The first, in bytes from the beginning of the arena.
    start: usize,
    /// How many.
    pub elements: usize,
}

impl Range {
    /// `elements` of them from the one at `start` on.
    ///
    /// # Errors
    /// Where they are not all inside.
    pub fn part(self, start: usize, elements: usize) -> Result<Range> {
        match start.checked_add(elements) {
            Some(end) if end <= self.elements => Ok(Range { start: self.start + 4 * start, elements }),
            _ => Err(Error::Program {
                what: format!(
                    "elements {start}..{} of {} on the device",
                    start.saturating_add(elements),
                    self.elements
                ),
            }),
        }
    }
}

/// Sizes, before they have memory.
#[derive(Debug, Default)]
pub struct Layout {
    bytes: usize,
}

impl Layout {
    /// Room for so many elements of four bytes.
    ///
    /// # Errors
    /// [`Error::Memory`] where no machine has so much.
    pub fn add(&mut self, elements: usize) -> Result<Range> {
        let start = self.bytes;
        let bytes = elements.checked_mul(4).and_then(|bytes| bytes.checked_next_multiple_of(ALIGNED));
        match bytes.and_then(|bytes| start.checked_add(bytes)).filter(|end| *end < isize::MAX as usize) {
            Some(end) => self.bytes = end,
            None => return Err(Error::Memory { wanted: u64::MAX, free: 0 }),
        }
        Ok(Range { start, elements })
    }

    /// Bytes in all.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// One allocation.
#[derive(Debug)]
pub struct Arena {
    driver: Shared,
    address: Address,
    bytes: usize,
}

impl Arena {
    /// Memory for a layout. Its contents mean nothing.
    ///
    /// # Errors
    /// [`Error::Memory`], with the bytes wanted and free.
    pub fn new(driver: &Shared, layout: &Layout) -> Result<Self> {
        let bytes = layout.bytes.max(ALIGNED);
        let mut device = driver.lock();
        let (wanted, free) = (bytes as u64, device.free()?);
        if wanted > free {
            return Err(Error::Memory { wanted, free });
        }
        let address = device.allocate(bytes)?;
        drop(device);
        Ok(Arena { driver: driver.clone(), address, bytes })
    }

    /// The device that it lies on.
    pub fn driver(&self) -> &Shared {
        &self.driver
    }

    /// Where a range begins.
    ///
    /// # Errors
    /// Where it is of another arena, and does not lie in this one.
    pub fn address(&self, range: Range) -> Result<Address> {
        match range.start.checked_add(4 * range.elements).filter(|end| *end <= self.bytes) {
            Some(_) => Ok(self.address + range.start as u64),
            None => Err(Error::Program { what: "a range of another arena".to_owned() }),
        }
    }

    /// Copies to the device: exactly as many elements as the range has.
    ///
    /// # Errors
    /// Where there are more or fewer; where the device fails.
    pub fn write<E: Element>(&self, range: Range, values: &[E]) -> Result<()> {
        let to = self.checked(range, values.len())?;
        if values.is_empty() {
            return Ok(());
        }
        // SAFETY: an element is four bytes without padding, every pattern of which is a `u8`.
        let bytes = unsafe { std::slice::from_raw_parts(values.as_ptr().cast::<u8>(), size_of_val(values)) };
        // SAFETY: `checked`; the arena's memory is given back when the arena goes.
        unsafe { self.driver.lock().write(to, bytes) }
    }

    /// Copies from the device, and waits for what came before: as many elements as the range has.
    ///
    /// # Errors
    /// Where there are more or fewer; where the device fails.
    pub fn read<E: Element>(&self, range: Range, values: &mut [E]) -> Result<()> {
        let from = self.checked(range, values.len())?;
        if values.is_empty() {
            return Ok(());
        }
        // SAFETY: an element is four bytes without padding, and every pattern of four bytes is one.
        let bytes =
            unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast::<u8>(), size_of_val(values)) };
        // SAFETY: as in `write`.
        unsafe { self.driver.lock().read(from, bytes) }
    }

    fn checked(&self, range: Range, elements: usize) -> Result<Address> {
        if range.elements != elements {
            let what = format!("{elements} elements for a place of {} on the device", range.elements);
            return Err(Error::Program { what });
        }
        self.address(range)
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.driver.lock().release(self.address);
    }
}

/// Four bytes, all patterns of which are values.
pub trait Element: Copy + sealed::Element {}

mod sealed {
    pub trait Element {}
    impl Element for f32 {}
    impl Element for u32 {}
}

impl Element for f32 {}
impl Element for u32 {}
