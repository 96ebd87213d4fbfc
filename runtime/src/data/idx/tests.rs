use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// The line an error prints.
fn line<T>(result: Result<T>) -> String {
    result.err().expect("an error").to_string()
}

/// Four IDX files: `rows` images of 2 × 3, labels 0, 1, ….
fn write_idx(folder: &Path, rows: u8) {
    for part in ["train", "t10k"] {
        let pixels: Vec<u8> = (0..rows * 6).collect();
        let images = [&[0, 0, 8, 3, 0, 0, 0, rows, 0, 0, 0, 2, 0, 0, 0, 3][..], &pixels].concat();
        let labels = [&[0, 0, 8, 1, 0, 0, 0, rows][..], &(0..rows).collect::<Vec<u8>>()].concat();
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

/// Packs one of the files, and lets `damage` have its bytes before they are written.
fn pack(folder: &Path, name: &str, damage: impl FnOnce(&mut Vec<u8>)) {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&fs::read(folder.join(name)).unwrap()).unwrap();
    let mut bytes = encoder.finish().unwrap();
    damage(&mut bytes);
    fs::remove_file(folder.join(name)).unwrap();
    fs::write(folder.join(format!("{name}.gz")), bytes).unwrap();
}

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";

#[test]
fn idx_files_are_read_packed_or_not() {
    let folder = tempfile::tempdir().unwrap();
    write_idx(folder.path(), 4);
    pack(folder.path(), IMAGES, |_| ());
    let digits = mnist(folder.path()).unwrap();
    assert_eq!((digits.shape, digits.train.rows()), ([2, 3], 4));
    assert_eq!(digits.train.array::<f32>("x").unwrap().row(1).unwrap()[0], 6.0 / 255.0);
    assert_eq!(digits.test.array::<f32>("label").unwrap().values(), [0.0, 1.0, 2.0, 3.0]);
}

#[test]
fn damaged_idx_files_are_named() {
    // The file, what happens to its bytes, and what the message says after the path.
    type Damage = fn(&mut Vec<u8>);
    let cases: [(&str, Damage, &str); 12] = [
        (IMAGES, |b| b.truncate(20), "claims 24 values, more than a file of its size can hold"),
        (IMAGES, |b| b.truncate(30), "ends after 14 of 24 values"),
        (IMAGES, |b| b.truncate(9), "ends too early"),
        (IMAGES, |b| b.clear(), "ends too early"),
        (IMAGES, |b| b.push(0), "goes on after the 24 values it claims"),
        (IMAGES, |b| b[3] = 1, "begins with 0x00000801, not with 0x00000803"),
        (IMAGES, |b| b[4] = 255, "claims 25669140504 values, more than a file of its size can hold"),
        (IMAGES, |b| b[8] = 255, "claims size 4278190082 along axis 1"),
        (IMAGES, |b| b[15] = 0, "claims size 0 along axis 2"),
        (LABELS, |b| b[9] = 10, "label 1 is 10, not 0 to 9"),
        (LABELS, |b| b[7] = 3, "goes on after the 3 values it claims"),
        (LABELS, |b| (b[7], _) = (3, b.pop()), "3 labels, but"),
    ];
    for (file, damage, what) in cases {
        let folder = tempfile::tempdir().unwrap();
        write_idx(folder.path(), 4);
        let path = folder.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, bytes).unwrap();
        let line = line(mnist(folder.path()));
        assert!(line.starts_with(&format!("{}: {what}", path.display())), "{line}");
    }
}

#[test]
fn damaged_gzip_is_named() {
    /// Reads four labels out of a packed file with this done to its bytes.
    fn read(damage: impl FnOnce(&mut Vec<u8>)) -> Result<Digits> {
        let folder = tempfile::tempdir().unwrap();
        write_idx(folder.path(), 4);
        pack(folder.path(), LABELS, damage);
        mnist(folder.path())
    }
    let mut length = 0;
    read(|bytes| length = bytes.len()).unwrap();
    for at in 0..length {
        match read(|bytes| bytes[at] ^= 0x5a) {
            // The flags, the time and the system in the ten bytes of the header carry no values.
            Ok(_) => assert!((3..10).contains(&at), "byte {at} of {length}"),
            Err(error) => assert!(error.to_string().contains("train-labels-idx1-ubyte.gz"), "{error}"),
        }
        assert!(
            line(read(|bytes| bytes.truncate(at))).contains("train-labels-idx1-ubyte.gz: ends too early")
        );
    }
}

#[test]
fn a_claim_in_a_packed_file_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    write_idx(folder.path(), 4);
    let path = folder.path().join(IMAGES);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4..8].fill(255);
    fs::write(&path, bytes).unwrap();
    pack(folder.path(), IMAGES, |_| ());
    assert!(
        line(mnist(folder.path()))
            .contains("claims 25769803770 values, more than a file of its size can hold")
    );
}

#[test]
fn missing_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        line(mnist(folder.path())),
        format!("{}: contains neither {IMAGES} nor {IMAGES}.gz", folder.path().display())
    );
    assert_eq!(line(mnist("no/such/folder")), "no/such/folder: is not a folder");
}

/// The folder with the real files, where there is one.
fn real() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("DIABOLO_DATA").map_or_else(beside, PathBuf::from);
    [folder.join("mnist"), folder.clone()]
        .into_iter()
        .find(|path| path.join("train-images-idx3-ubyte.gz").is_file())
}

#[test]
fn the_real_mnist_is_read() {
    let Some(folder) = real() else {
        println!("skipped: no MNIST in $DIABOLO_DATA or beside the workspace");
        return;
    };
    let digits = mnist(folder).unwrap();
    assert_eq!((digits.train.rows(), digits.test.rows(), digits.shape), (60_000, 10_000, [28, 28]));
    assert_eq!(digits.train.array::<f32>("label").unwrap().values()[..5], [5.0, 0.0, 4.0, 1.0, 9.0]);
    let mean = digits.train.mean("x").unwrap().iter().sum::<f64>() / 784.0;
    assert!((mean - 0.1307).abs() < 1e-4, "{mean}");
}
