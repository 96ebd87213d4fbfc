//! Codes of an autoencoder as a file of few bits: whole numbers, their frequencies, an entropy coder.
//!
//! In: codes of rows. Out: bytes, and from these the same levels again, bit for bit. Never: bytes that were damaged
//! taken for codes.
//!
//! The file: `DBLC`, a version, the numbers of columns and rows; for each column its levels, each with its value (the
//! mean of the codes that it stands for) and its count; the words of an asymmetric numeral system (Duda 2009, by the
//! crate `constriction`) under these counts; a checksum (CRC-32) of all that. Whole numbers are LEB128.

use constriction::stream::model::DefaultContiguousCategoricalEntropyModel as Model;
use constriction::stream::stack::DefaultAnsCoder as Coder;
use constriction::stream::{Decode, Encode};
use diabolo::data::Array;
use diabolo::{Error, Result};

const MAGIC: &[u8; 4] = b"DBLC";
const VERSION: u8 = 1;
/// A column of one level takes no bits at all: without a bound, a short file could ask for any amount of memory.
const MOST_SYMBOLS: u64 = 1 << 28;

/// A value that codes of a column may have, and how many do.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Level {
    value: f32,
    count: u32,
}

/// Rows of codes, each a level of its column.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantised {
    columns: Vec<Vec<Level>>,
    /// Positions among the levels, row by row.
    symbols: Vec<u32>,
}

impl Quantised {
    /// Rounds codes to multiples of `step`; a level's value is the mean of its codes, which is where the squared error
    /// is least.
    ///
    /// # Errors
    /// A step or a code that is not a finite number, a step that is not positive, codes without rows.
    pub fn new(codes: &Array<f32>, step: f32) -> Result<Quantised> {
        if !(step.is_finite() && step > 0.0) {
            return Err(Error::config(format!(
                "the step of quantisation is {step}; a positive number is needed"
            )));
        }
        if codes.values().is_empty() {
            return Err(Error::Empty { what: "the codes to quantise".into() });
        }
        if let Some(code) = codes.values().iter().find(|code| !code.is_finite()) {
            return Err(Error::config(format!("a code is {code}; only finite numbers can be quantised")));
        }
        let width = codes.values().len() / codes.rows();
        let cell = |code: f32| (f64::from(code) / f64::from(step)).round_ties_even();
        let mut symbols = vec![0; codes.values().len()];
        let mut columns = Vec::with_capacity(width);
        for column in 0..width {
            let of_column = || codes.iter().map(|row| row[column]);
            let mut cells: Vec<f64> = of_column().map(cell).collect();
            cells.sort_by(f64::total_cmp);
            cells.dedup();
            let mut sums = vec![(0.0f64, 0u32); cells.len()];
            for (row, code) in of_column().enumerate() {
                let level = cells.partition_point(|c| *c < cell(code));
                symbols[row * width + column] = level as u32;
                sums[level].0 += f64::from(code);
                sums[level].1 += 1;
            }
            let level = |(sum, count): (f64, u32)| Level { value: (sum / f64::from(count)) as f32, count };
            columns.push(sums.into_iter().map(level).collect());
        }
        Ok(Quantised { columns, symbols })
    }

    /// The codes that the levels stand for.
    ///
    /// # Errors
    /// None that a value of this type can cause.
    pub fn codes(&self) -> Result<Array<f32>> {
        let width = self.columns.len();
        let value = |(at, symbol): (usize, &u32)| self.columns[at % width][*symbol as usize].value;
        let values = self.symbols.iter().enumerate().map(value).collect();
        Array::new(&[self.symbols.len() / width, width], values)
    }

    /// The entropy of the levels, in bits, for all rows together: Σ −log₂ of the frequency of each.
    pub fn entropy(&self) -> f64 {
        let rows = (self.symbols.len() / self.columns.len()) as f64;
        let bits = |level: &Level| f64::from(level.count) * (rows / f64::from(level.count)).log2();
        self.columns.iter().flatten().map(bits).sum()
    }

    /// The bytes of the file.
    ///
    /// # Errors
    /// Where the entropy coder refuses the counts.
    pub fn pack(&self) -> Result<Packed> {
        let width = self.columns.len();
        let mut bytes = [MAGIC.as_slice(), &[VERSION]].concat();
        write_number(&mut bytes, width as u64);
        write_number(&mut bytes, (self.symbols.len() / width) as u64);
        for column in &self.columns {
            write_number(&mut bytes, column.len() as u64);
            for level in column {
                bytes.extend(level.value.to_le_bytes());
                write_number(&mut bytes, u64::from(level.count));
            }
        }
        let models = self.columns.iter().map(|column| model(column)).collect::<Result<Vec<_>>>()?;
        let mut coder = Coder::new();
        for (at, symbol) in self.symbols.iter().enumerate().rev() {
            if let Some(model) = &models[at % width] {
                let coded = coder.encode_symbol(*symbol as usize, model.as_view());
                coded.map_err(|error| Error::config(format!("the entropy coder: {error:?}")))?;
            }
        }
        let words = coder.into_compressed().unwrap_or_default();
        let table = bytes.len();
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        let payload = bytes.len() - table;
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        Ok(Packed { bytes, payload })
    }

    /// Reads the bytes of a file again.
    ///
    /// # Errors
    /// Bytes that are no such file, of another version, or damaged.
    pub fn unpack(bytes: &[u8]) -> Result<Quantised> {
        let damaged = |what: &str| Error::config(format!("not a file of codes: {what}"));
        let start = MAGIC.len() + 1;
        if bytes.len() < start + 4 || !bytes.starts_with(MAGIC) {
            return Err(damaged("it does not begin as one"));
        }
        if bytes[MAGIC.len()] != VERSION {
            return Err(damaged(&format!("version {}, where {VERSION} is known", bytes[MAGIC.len()])));
        }
        let (bytes, checksum) = bytes.split_at(bytes.len() - 4);
        if crc32fast::hash(bytes).to_le_bytes() != checksum {
            return Err(damaged("its checksum is that of other bytes"));
        }
        let mut rest = &bytes[start..];
        let mut number =
            |what: &str| read_number(&mut rest).ok_or_else(|| damaged(&format!("its {what} are missing")));
        let (width, rows) = (number("columns")?, number("rows")?);
        if width == 0 || rows == 0 || width.saturating_mul(rows) > MOST_SYMBOLS {
            return Err(damaged(&format!("{rows} rows of {width} codes")));
        }
        let mut columns = Vec::new();
        for _ in 0..width {
            let column = read_column(&mut rest).ok_or_else(|| damaged("its levels are cut off"))?;
            if column.iter().map(|level| u64::from(level.count)).sum::<u64>() != rows {
                return Err(damaged("the counts of a column are not its rows"));
            }
            columns.push(column);
        }
        let (words, odd) = rest.as_chunks::<4>();
        if !odd.is_empty() {
            return Err(damaged("its last word is cut off"));
        }
        let models = columns.iter().map(|column| model(column)).collect::<Result<Vec<_>>>()?;
        let words: Vec<u32> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
        let mut coder = Coder::from_compressed(words).map_err(|_| damaged("its last word is zero"))?;
        let mut symbols = Vec::with_capacity((width * rows) as usize);
        for at in 0..width * rows {
            symbols.push(match &models[(at % width) as usize] {
                Some(model) => coder.decode_symbol(model.as_view()).unwrap_or_default() as u32,
                None => 0,
            });
        }
        Ok(Quantised { columns, symbols })
    }
}

/// A file of codes.
#[derive(Clone, Debug)]
pub struct Packed {
    /// All of it.
    pub bytes: Vec<u8>,
    /// How many of the bytes are codes; the others are the levels and their counts.
    pub payload: usize,
}

/// The frequencies of a column; none where there is nothing to say.
fn model(column: &[Level]) -> Result<Option<Model>> {
    if column.len() < 2 {
        return Ok(None);
    }
    let counts: Vec<f64> = column.iter().map(|level| f64::from(level.count)).collect();
    let model = Model::from_floating_point_probabilities_fast(&counts, None);
    model.map(Some).map_err(|()| Error::config("the entropy coder cannot code so many levels"))
}

fn read_column(rest: &mut &[u8]) -> Option<Vec<Level>> {
    let levels = read_number(rest)?;
    // A level takes five bytes or more.
    if levels == 0 || levels > rest.len() as u64 / 5 {
        return None;
    }
    let mut column = Vec::with_capacity(levels as usize);
    for _ in 0..levels {
        let (value, after) = rest.split_first_chunk::<4>()?;
        *rest = after;
        let count = u32::try_from(read_number(rest)?).ok()?;
        column.push(Level { value: f32::from_le_bytes(*value), count });
    }
    Some(column)
}

fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The fewest bits with which a Gaussian source of these variances can be told to within a squared error of `distortion`:
/// Σ ½ log₂(λᵢ/θ) over λᵢ > θ, with the water level θ at Σ min(λᵢ, θ) = distortion (Cover and Thomas 2006, theorem
/// 10.3.3). No source of the same covariance needs more.
pub fn gaussian_rate(variances: &[f64], distortion: f64) -> f64 {
    let (mut low, mut high) = (0.0, variances.iter().copied().fold(0.0, f64::max));
    for _ in 0..200 {
        let level = 0.5 * (low + high);
        let reached: f64 = variances.iter().map(|v| v.min(level)).sum();
        if reached < distortion { low = level } else { high = level }
    }
    variances.iter().filter(|v| **v > high).map(|v| 0.5 * (v / high).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A column of one level, one of two, one of many.
    fn quantised() -> Quantised {
        let row =
            |i: usize| [0.25, f32::from(u8::from(i.is_multiple_of(5))), (i * i % 97) as f32 / 7.0 - 5.0];
        let codes = Array::new(&[500, 3], (0..500).flat_map(row).collect()).unwrap();
        Quantised::new(&codes, 0.5).unwrap()
    }

    #[test]
    fn a_file_is_read_back_bit_for_bit() {
        let quantised = quantised();
        let packed = quantised.pack().unwrap();
        assert_eq!(Quantised::unpack(&packed.bytes).unwrap(), quantised);
        let bits = 8.0 * packed.payload as f64;
        assert!(
            bits >= quantised.entropy() && bits < quantised.entropy() + 80.0,
            "{bits} {}",
            quantised.entropy()
        );
        assert!(packed.bytes.len() < 1000);
    }

    #[test]
    fn levels_are_the_means_of_their_cells() {
        let codes = Array::new(&[4, 1], vec![0.9f32, 1.2, -2.1, 0.9]).unwrap();
        let quantised = Quantised::new(&codes, 1.0).unwrap();
        assert_eq!(quantised.codes().unwrap().values(), [1.0, 1.0, -2.1, 1.0]);
        let expected = 3.0 * (4.0f64 / 3.0).log2() + 2.0;
        assert!((quantised.entropy() - expected).abs() < 1e-12);
    }

    #[test]
    fn every_damaged_byte_and_every_cut_is_an_error() {
        let bytes = quantised().pack().unwrap().bytes;
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(Quantised::unpack(&damaged).is_err(), "byte {at}");
            assert!(Quantised::unpack(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    /// Whoever writes a checksum of his own asks for no more memory than a bound, and causes no panic.
    #[test]
    fn a_forged_checksum_causes_no_panic() {
        let bytes = quantised().pack().unwrap().bytes;
        let body = &bytes[..bytes.len() - 4];
        for at in 5..body.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut forged = body.to_vec();
                forged[at] ^= flip;
                forged.extend(crc32fast::hash(&forged).to_le_bytes());
                let _ = Quantised::unpack(&forged);
            }
        }
    }

    #[test]
    fn water_fills_the_deepest_first() {
        // θ = 1: ½ log₂ 4 + ½ log₂ 16, and 0.5 stays below the water.
        assert!((gaussian_rate(&[4.0, 16.0, 0.5], 2.5) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn what_cannot_be_quantised_is_an_error() {
        let codes = |value: f32| Array::new(&[1, 1], vec![value]).unwrap();
        assert!(Quantised::new(&codes(f32::NAN), 1.0).is_err());
        assert!(Quantised::new(&codes(1.0), 0.0).is_err());
        assert!(Quantised::new(&codes(1.0), f32::NAN).is_err());
    }
}
