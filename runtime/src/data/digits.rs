//! Images of digits, and those that travel inside the crate.
//!
//! In: `data/optdigits.gz`. Out: [`Digits`]. Never: the network, the disk.

use std::io::Read;
use std::sync::OnceLock;

use flate2::read::GzDecoder;

use super::Data;

/// Images of handwritten digits, to train on and to test with.
///
/// The columns are `x`, a flat image with values from 0 to 1, and `label`, 0 to 9.
#[derive(Clone, Debug)]
pub struct Digits {
    /// What they are called.
    pub name: String,
    /// Height and width of one image.
    pub shape: [usize; 2],
    /// The rows to train on.
    pub train: Data,
    /// The rows to test with, by other writers.
    pub test: Data,
}

impl Digits {
    /// The number of pixels of one image.
    pub fn pixels(&self) -> usize {
        self.shape[0] * self.shape[1]
    }
}

const PIXELS: usize = 64;
const TRAIN: usize = 3823;
const TEST: usize = 1797;

/// 5620 images of 8 × 8 pixels, embedded in the crate: the *Optical Recognition of Handwritten
/// Digits* of E. Alpaydin and C. Kaynak (UCI, CC BY 4.0; see `data/ATTRIBUTION.md`).
pub fn digits() -> Digits {
    static DIGITS: OnceLock<Digits> = OnceLock::new();
    DIGITS.get_or_init(unpack).clone()
}

fn unpack() -> Digits {
    const PACKED: &[u8] = include_bytes!("../../data/optdigits.gz");
    let mut bytes = Vec::with_capacity((TRAIN + TEST) * (PIXELS + 1));
    GzDecoder::new(PACKED).read_to_end(&mut bytes).expect("the embedded digits are whole: a test reads them");
    let (train, test) = bytes.split_at(TRAIN * (PIXELS + 1));
    Digits { name: "optdigits".into(), shape: [8, 8], train: columns(train), test: columns(test) }
}

fn columns(bytes: &[u8]) -> Data {
    let rows = bytes.chunks_exact(PIXELS + 1);
    let x = rows.clone().flat_map(|row| &row[..PIXELS]).map(|v| f32::from(*v) / 16.0).collect();
    let label = rows.map(|row| f32::from(row[PIXELS])).collect();
    Data::new()
        .with("x", &[PIXELS], x)
        .and_then(|data| data.with("label", &[], label))
        .expect("the embedded digits are whole: a test reads them")
}
