use std::path::{Path, PathBuf};

use super::*;
use crate::data::{digits, mnist};

#[test]
fn pca_finds_the_axes_of_an_ellipse() {
    // Points on two orthogonal lines, four times as long along (0.6, 0.8), around (1, 2).
    let points: Vec<[f64; 2]> = (-50..=50)
        .flat_map(|i| {
            let t = f64::from(i);
            [[1.0 + 4.0 * 0.6 * t, 2.0 + 4.0 * 0.8 * t], [1.0 - 0.8 * t, 2.0 + 0.6 * t]]
        })
        .collect();
    let data = Data::from_rows("x", &points).unwrap();
    let pca = Pca::fit(&data, "x", 1).unwrap();
    assert!(pca.mean().iter().zip([1.0, 2.0]).all(|(a, b)| (a - b).abs() < 1e-12));
    let first = pca.components().row(0).unwrap();
    assert!((first[0] - 0.6).abs() < 1e-12 && (first[1] - 0.8).abs() < 1e-12, "{first:?}");
    // The mean of t² over -50..=50 is 850; half of the points lie on each line.
    assert!((pca.eigenvalues()[0] - 16.0 * 425.0).abs() < 1e-8);
    assert!((pca.eigenvalues()[1] - 425.0).abs() < 1e-8);
    assert!((pca.squared_error(&data).unwrap() - 425.0).abs() < 1e-8);
}

#[test]
fn the_parts_of_pca_agree() {
    let digits = digits();
    let pca = Pca::fit(&digits.train, "x", 8).unwrap();
    let error = pca.squared_error(&digits.train).unwrap();
    let left: f64 = pca.eigenvalues()[8..].iter().sum();
    assert!((error - left).abs() < 1e-10, "{error} {left}");

    let codes = pca.encode(&digits.test).unwrap();
    assert_eq!(codes.shape(), [1797, 8]);
    let rebuilt = pca.reconstruct(&digits.test).unwrap();
    let x = digits.test.array::<f64>("x").unwrap();
    let total: f64 = rebuilt.values().iter().zip(x.values()).map(|(a, b)| (a - b) * (a - b)).sum();
    assert!((total / 1797.0 - pca.squared_error(&digits.test).unwrap()).abs() < 1e-10);

    let components = pca.components();
    for i in 0..8 {
        for j in 0..8 {
            let dot: f64 =
                components.row(i).unwrap().iter().zip(components.row(j).unwrap()).map(|(a, b)| a * b).sum();
            assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-12);
        }
    }
    let whole = Pca::fit(&digits.train, "x", 64).unwrap();
    assert!(whole.squared_error(&digits.test).unwrap() < 1e-20);
}

#[test]
fn threads_do_not_change_the_bits() {
    let digits = digits();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Pca::fit(&digits.train, "x", 4).unwrap())
    };
    assert_eq!(on(1).components(), on(3).components());
}

#[test]
fn sizes_that_make_no_sense_are_refused() {
    let digits = digits();
    for k in [0, 65] {
        assert!(matches!(Pca::fit(&digits.train, "x", k), Err(Error::Config { .. })));
    }
    assert!(matches!(Pca::fit(&digits.train, "y", 2), Err(Error::Missing { .. })));
    let pca = Pca::fit(&digits.train, "x", 2).unwrap();
    let narrow = Data::new().with("x", &[3], vec![0.0f32; 6]).unwrap();
    assert!(matches!(pca.squared_error(&narrow), Err(Error::Shape { .. })));
    assert!(matches!(mean_image_error(&digits.train, &narrow, "x"), Err(Error::Shape { .. })));
}

/// Figures computed independently, with numpy.
#[test]
fn the_digits_have_known_figures() {
    let digits = digits();
    let mean = mean_image_error(&digits.train, &digits.test, "x").unwrap();
    assert!((mean - 4.705045294013801).abs() < 1e-9, "{mean}");
    for (k, expected) in [(2, 3.431695834946071), (8, 1.608106608944802), (32, 0.1772100457331299)] {
        let error = Pca::fit(&digits.train, "x", k).unwrap().squared_error(&digits.test).unwrap();
        assert!((error - expected).abs() < 1e-9, "k {k}: {error}, not {expected}");
    }
}

#[test]
fn mnist_has_known_figures() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("DIABOLO_DATA").map_or_else(beside, PathBuf::from);
    let Some(digits) = [folder.join("mnist"), folder].iter().find_map(|folder| mnist(folder).ok()) else {
        println!("skipped: no MNIST in $DIABOLO_DATA or beside the workspace");
        return;
    };
    // One decomposition serves every k: the components are ordered.
    let most = Pca::fit(&digits.train, "x", 32).unwrap();
    for (k, expected) in [(2, 43.645), (16, 21.058), (32, 13.193)] {
        let components = Array::new(&[k, 784], most.components.values()[..k * 784].to_vec()).unwrap();
        let error = Pca { components, ..most.clone() }.squared_error(&digits.test).unwrap();
        assert!((error - expected).abs() < 1e-3, "k {k}: {error}, not {expected}");
    }
}
