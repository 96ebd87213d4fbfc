//! MNIST at the size of the embedded digits, so that one network fits both.
//!
//! In: images of 28 × 28 pixels. Out: images of 8 × 8. Never: an image of another size taken for one.

use diabolo::Result;
use diabolo::data::{Data, Digits};

const SIDE: usize = 28;
const MARGIN: usize = 2;
const BLOCK: usize = 3;
const SMALL: usize = 8;

/// Means over blocks of 3 × 3 pixels, after a margin of 2 is cut off, which is empty in MNIST.
pub fn eight_by_eight(digits: &Digits) -> Result<Digits> {
    Ok(Digits {
        name: format!("{} at 8 × 8", digits.name),
        shape: [SMALL, SMALL],
        train: reduced(&digits.train)?,
        test: reduced(&digits.test)?,
    })
}

fn reduced(data: &Data) -> Result<Data> {
    let images = data.array::<f32>("x")?;
    let mut small = Vec::with_capacity(images.rows() * SMALL * SMALL);
    for image in &images {
        for (y, x) in (0..SMALL).flat_map(|y| (0..SMALL).map(move |x| (y, x))) {
            let line = |dy: usize| {
                let start = (MARGIN + BLOCK * y + dy) * SIDE + MARGIN + BLOCK * x;
                image[start..start + BLOCK].iter().sum::<f32>()
            };
            small.push((0..BLOCK).map(line).sum::<f32>() / (BLOCK * BLOCK) as f32);
        }
    }
    Data::new().with("x", &[SMALL * SMALL], small)?.with(
        "label",
        &[],
        data.array::<f32>("label")?.into_values(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_averaged() {
        let mut image = vec![0.0f32; SIDE * SIDE];
        // Block (1, 2) covers rows 5..8 and columns 8..11.
        image[5 * SIDE + 8] = 0.9;
        image[7 * SIDE + 10] = 0.9;
        image[7 * SIDE + 11] = 0.9; // the next block
        let data =
            Data::new().with("x", &[SIDE * SIDE], image).unwrap().with("label", &[], vec![3.0f32]).unwrap();
        let small = reduced(&data).unwrap().array::<f32>("x").unwrap();
        assert!((small.values()[SMALL + 2] - 0.2).abs() < 1e-6);
        assert!((small.values()[SMALL + 3] - 0.1).abs() < 1e-6);
        assert!((small.values().iter().sum::<f32>() - 0.3).abs() < 1e-6);
    }
}
