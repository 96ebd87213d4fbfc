use std::fs;

use super::*;

fn small() -> Data {
    let data = Data::new().with("x", &[2], vec![0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    data.with("label", &[], vec![0.0f64, 1.0, 1.0]).unwrap()
}

/// The line an error prints.
fn line<T>(result: Result<T>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn columns_are_checked_on_the_way_in() {
    let with = |features: &[usize], values: Vec<f32>| line(small().with("y", features, values));
    assert_eq!(with(&[2], vec![1.0; 5]), "column `y`: 5 values are not a whole number of rows of shape [2]");
    assert_eq!(with(&[2], vec![1.0; 4]), "column `y`: has 2 rows, but `x` has 3");
    assert_eq!(with(&[], vec![]), "column `y` is empty");
    assert_eq!(with(&[0], vec![1.0; 3]), "column `y` is empty");
    assert_eq!(with(&[usize::MAX, 2], vec![1.0; 3]).split(" of shape").next().unwrap(), "column `y`: a row");
    assert_eq!(
        with(&[2], vec![0.0, 0.0, 0.0, f32::NAN, 0.0, 0.0]),
        "column `y` is not finite: row 1, index 1 is NaN"
    );
    assert_eq!(with(&[], vec![0.0, 0.0, f32::INFINITY]), "column `y` is not finite: row 2, index 0 is inf");
    assert_eq!(line(small().with("x", &[], vec![1.0f32; 3])), "column `x`: is there already");
    assert_eq!(line(small().array::<f32>("z")), "no column named `z`; there are `x`, `label`");
    assert_eq!(line(small().map("x", |v| 1.0 / v)), "column `x` is not finite: row 0, index 0 is inf");
    let rows = [vec![1.0f32, 2.0], vec![3.0]];
    assert_eq!(line(Data::from_rows("x", &rows)), "column `x`: row 1 has 1 values, but row 0 has 2");
    assert_eq!(line(Data::from_rows::<f32, Vec<f32>>("x", &[])), "column `x` is empty");
}

#[test]
fn rows_are_gathered_in_either_type() {
    let data = small();
    let x = data.column("x").unwrap();
    let mut f32s = [0.0f32; 4];
    x.gather(&[2, 0], &mut f32s).unwrap();
    assert_eq!(f32s, [4.0, 5.0, 0.0, 1.0]);
    let mut f64s = [0.0f64; 4];
    x.copy_rows(1..3, &mut f64s).unwrap();
    assert_eq!(f64s, [2.0, 3.0, 4.0, 5.0]);

    assert_eq!(line(x.gather(&[0, 3], &mut f32s)), "column `x`: there is no row 3, only 0 to 2");
    assert_eq!(line(x.copy_rows(2..4, &mut f32s)), "column `x`: there is no row 3, only 0 to 2");
    assert_eq!(line(x.gather(&[0], &mut f32s)), "copying rows: `x` should be 4 values, but is 1 rows of [2]");
    x.copy_rows(7..7, &mut f32s[..0]).expect_err("a range past the end, even an empty one");
}

#[test]
fn rows_need_no_columns() {
    let data = Data::without_columns(4);
    assert_eq!((data.rows(), data.take(3).unwrap().rows(), data.columns().len()), (4, 3, 0));
    assert_eq!(data.split(0.25, 1).unwrap().1.rows(), 1);
    assert_eq!(data.clone().with("x", &[], vec![1.0f32; 4]).unwrap().rows(), 4);
    assert_eq!(
        line(data.clone().with("x", &[], vec![1.0f32; 3])),
        "column `x`: has 3 rows, but the data has 4"
    );
    assert_eq!(line(data.select(&[4])), "there is no row 4, only 0 to 3");
}

#[test]
fn f64_stays_f64() {
    let third = 1.0f64 / 3.0;
    let data = Data::new().with("x", &[], vec![third]).unwrap();
    assert_eq!(data.array::<f64>("x").unwrap().values(), [third]);
    assert_eq!(data.array::<f32>("x").unwrap().values(), [third as f32]);
    assert!(format!("{data:?}").contains("1 × f64"), "{data:?}");
}

#[test]
fn a_split_is_a_partition_and_repeats() {
    let data = Data::new().with("i", &[], (0..1000).map(f64::from).collect()).unwrap();
    let (train, held) = data.split(0.2, 7).unwrap();
    assert_eq!((train.rows(), held.rows()), (800, 200));
    let values = |data: &Data| data.array::<f64>("i").unwrap().into_values();
    let mut all = [values(&train), values(&held)].concat();
    all.sort_by(f64::total_cmp);
    assert_eq!(all, values(&data));
    assert_eq!(values(&held), values(&data.split(0.2, 7).unwrap().1));
    assert_ne!(values(&held), values(&data.split(0.2, 8).unwrap().1));
    // Drawn from everywhere: the mean of 200 of 0..1000 has a standard deviation of 18.
    let mean = data.split(0.2, 7).unwrap().1.mean("i").unwrap()[0];
    assert!((mean - 499.5).abs() < 75.0, "{mean}");
    assert_eq!(line(data.split(1.0, 7)), "a split takes a fraction between 0 and 1, not 1");
    assert_eq!(line(data.split(f64::NAN, 7)), "a split takes a fraction between 0 and 1, not NaN");
    assert_eq!(line(data.split(1e-9, 7)), "one part of a split of 1000 rows at 0.000000001 is empty");
}

#[test]
fn rows_are_chosen_in_order() {
    let values = |data: Result<Data>| data.unwrap().array::<f32>("x").unwrap().into_values();
    assert_eq!(values(small().select(&[2, 0, 0])), [4.0, 5.0, 0.0, 1.0, 0.0, 1.0]);
    assert_eq!(values(small().take(1)), [0.0, 1.0]);
    assert_eq!(values(small().take(9)).len(), 6);
    assert_eq!(values(small().select_where("label", |v| v[0] == 1.0)), [2.0, 3.0, 4.0, 5.0]);
    assert_eq!(line(small().select(&[3])), "column `x`: there is no row 3, only 0 to 2");
    assert_eq!(line(small().take(0)), "the selection of rows is empty");
    assert_eq!(line(Data::new().take(2)), "the selection of rows is empty");
    assert_eq!(line(Data::new().select(&[0])), "data without columns is empty");
    assert_eq!(line(small().select_where("label", |_| false)), "the selection by column `label` is empty");
}

#[test]
fn centring_uses_the_mean_it_is_given() {
    let data = small();
    assert_eq!(data.mean("x").unwrap(), [2.0, 3.0]);
    let centred = data.center("x", &[2.0, 3.0]).unwrap();
    assert_eq!(centred.mean("x").unwrap(), [0.0, 0.0]);
    assert_eq!(centred.array::<f32>("label").unwrap().values(), [0.0, 1.0, 1.0]);
    assert_eq!(line(data.center("x", &[1.0])), "center: `x` should be 1 values a row, but is 2 values a row");
    assert_eq!(data.map("x", |v| v * 2.0).unwrap().array::<f32>("x").unwrap().values()[5], 10.0);
}

#[test]
fn arrays_give_rows() {
    let array = Array::new(&[2, 3], vec![1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    assert_eq!(array.row(1).unwrap(), [4.0, 5.0, 6.0]);
    assert_eq!(
        line(array.row(2).map(<[f32]>::to_vec)),
        "array of shape [2, 3]: `row 2` should be under 2, but is 2"
    );
    assert_eq!(array.iter().map(|row| row[0]).collect::<Vec<_>>(), [1.0, 4.0]);
    assert_eq!(array.mean(), 3.5);
    assert_eq!(Data::from_array("z", array).unwrap().column("z").unwrap().features(), [3]);
    let scalar = Array::new(&[], vec![1.0f64]).unwrap();
    assert_eq!((scalar.rows(), scalar.row(0).unwrap()), (1, &[1.0][..]));
    let empty = Array::<f32>::new(&[0, 3], vec![]).unwrap();
    assert_eq!((empty.rows(), empty.iter().len()), (0, 0));
    assert_eq!(Array::<f32>::new(&[3, 0], vec![]).unwrap().iter().len(), 0);
    assert!(Array::new(&[2, 2], vec![1.0f32; 3]).is_err());
    assert!(Array::new(&[usize::MAX, usize::MAX], vec![1.0f32]).is_err());
}

#[test]
fn the_embedded_digits_are_whole() {
    let digits = digits();
    assert_eq!((digits.train.rows(), digits.test.rows(), digits.pixels()), (3823, 1797, 64));
    // The class counts of the repository's own description.
    for (data, expected) in [
        (&digits.train, [376, 389, 380, 389, 387, 376, 377, 387, 380, 382]),
        (&digits.test, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
    ] {
        let mut counts = [0; 10];
        for label in data.array::<f32>("label").unwrap().values() {
            counts[*label as usize] += 1;
        }
        assert_eq!(counts, expected);
        assert!(data.array::<f32>("x").unwrap().values().iter().all(|v| (0.0..=1.0).contains(v)));
    }
    let first = digits.train.array::<f32>("x").unwrap();
    assert_eq!(first.row(0).unwrap()[..6], [0.0, 1.0, 6.0, 15.0, 12.0, 1.0].map(|v: f32| v / 16.0));
}

#[test]
fn csv_files_become_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let read = |text: &str, apart: &[&str]| {
        fs::write(&path, text).unwrap();
        csv(&path, apart)
    };
    let data = read("a, y, b\n1, 0, 2.5\n3, 1, -4e-1\n", &["y"]).unwrap();
    assert_eq!(data.array::<f64>("x").unwrap().values(), [1.0, 2.5, 3.0, -0.4]);
    assert_eq!(data.array::<f64>("y").unwrap().values(), [0.0, 1.0]);
    assert_eq!(line(read("a,b\n1,2\n", &["c"])), "no column named `c`; there are `a`, `b`");

    let at = path.display();
    for (text, what) in [
        ("a,b\n1,2\n3,red\n", "line 3, column `b`: `red` is not a number"),
        ("a,b\n1,\n", "line 2, column `b`: `` is not a number"),
        ("a,b\n", "column `x` is empty"),
        ("", "has no header line"),
    ] {
        assert_eq!(line(read(text, &[])), format!("{at}: {what}"));
    }
    assert_eq!(line(read("a,b\n1,nan\n", &[])), format!("{at}, column `b` is not finite: line 2 is NaN"));
    assert!(line(read("a,b\n1\n", &[])).starts_with(&at.to_string()));
    assert!(line(csv(folder.path().join("none.csv"), &[])).starts_with("cannot open "));
}
