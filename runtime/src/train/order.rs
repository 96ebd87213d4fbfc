//! The order of rows in an epoch.
//!
//! In: a seed and an epoch. Out: a permutation, the same on every machine. Never: an allocation after the first.

use diabolo_kernels::random::{self, Stream};

/// The site of the order of rows; sites of programs count up from 0.
const SITE: u32 = u32::MAX - 1;

/// Puts `order` into the order of an epoch (Fisher and Yates). `draws` has the length of `order`.
pub(super) fn shuffle(order: &mut [usize], draws: &mut [f64], seed: u64, epoch: u64) {
    order.iter_mut().enumerate().for_each(|(i, row)| *row = i);
    random::uniform(Stream { seed, step: epoch, site: SITE }, 0, draws);
    for last in (1..order.len()).rev() {
        let pick = (draws[last] * (last + 1) as f64) as usize;
        order.swap(last, pick.min(last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_once_and_another_order_each_epoch() {
        let (mut a, mut b, mut draws) = (vec![0; 1000], vec![0; 1000], vec![0.0; 1000]);
        shuffle(&mut a, &mut draws, 7, 0);
        shuffle(&mut b, &mut draws, 7, 1);
        assert_ne!(a, b);
        let fixed = a.iter().enumerate().filter(|(i, row)| *i == **row).count();
        assert!(fixed < 12, "{fixed} rows stayed in place");
        a.sort_unstable();
        assert_eq!(a, (0..1000).collect::<Vec<_>>());
    }
}
