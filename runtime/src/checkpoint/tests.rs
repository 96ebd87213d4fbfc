use std::io;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;

fn words(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

/// Saves two parameters, one of each type, whose first value is `first`.
fn save_two(path: &Path, first: f32) -> Result<()> {
    let weight = [first, -0.0, f32::MIN_POSITIVE, f32::MAX, 1.5, 2.5];
    let steps = [1.0f64 / 3.0];
    let entries: [(&str, &[usize], Values); 2] =
        [("encode.dense0.weight", &[2, 3], weight[..].into()), ("steps", &[], steps[..].into())];
    save(path, entries, &words(&[("program", "vanilla"), ("step", "12"), ("author", "nobody")]))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn what_is_saved_is_loaded_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    save_two(&path, 0.1).unwrap();
    let loaded = load(&path).unwrap();
    assert_eq!(loaded.metadata, words(&[("program", "vanilla"), ("step", "12"), ("author", "nobody")]));
    assert_eq!(loaded.parameters["encode.dense0.weight"].shape, [2, 3]);
    let Values::F32(weight) = &loaded.parameters["encode.dense0.weight"].values else { panic!("not f32") };
    assert_eq!(weight[0].to_bits(), 0.1f32.to_bits());
    assert_eq!(weight[1].to_bits(), (-0.0f32).to_bits());
    assert_eq!(loaded.parameters["steps"].values, Values::F64(vec![1.0 / 3.0].into()));

    let bytes = fs::read(&path).unwrap();
    for _ in 0..8 {
        save_two(&path, 0.1).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes, "equal contents give equal bytes");
    }
    assert_eq!(files(folder.path()), [path]);
}

#[test]
fn entries_that_cannot_be_stored_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m");
    let one = [1.0f32];
    let twice: [(&str, &[usize], Values); 2] = [("w", &[1], one[..].into()), ("w", &[1], one[..].into())];
    let line = save(&path, twice, &words(&[])).unwrap_err().to_string();
    assert!(line.contains("`w` cannot be used twice"), "{line}");
    let short: [(&str, &[usize], Values); 1] = [("w", &[2, 2], one[..].into())];
    let line = save(&path, short, &words(&[])).unwrap_err().to_string();
    assert!(line.contains("`w` of shape [2, 2] is given 4 bytes"), "{line}");
    assert!(files(folder.path()).is_empty());
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    save_two(&path, 1.0).unwrap();
    let before = fs::read(&path).unwrap();
    let full = replace(&path, |file| {
        file.write_all(b"the first half")?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    });
    let line = full.unwrap_err().to_string();
    assert!(line.starts_with(&format!("cannot write {}: ", path.display())), "{line}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(files(folder.path()), [path], "no litter");
}

/// Runs itself again as a process that dies in the middle of writing.
#[test]
fn a_writer_killed_halfway_leaves_the_old_file() {
    const CHILD: &str = "DIABOLO_TEST_KILLED_WRITER";
    if let Some(path) = std::env::var_os(CHILD) {
        let _ = replace(Path::new(&path), |file| {
            file.write_all(&[7; 1 << 16])?;
            std::process::abort()
        });
        unreachable!("the writer aborts");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    save_two(&path, 1.0).unwrap();
    let before = fs::read(&path).unwrap();
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "checkpoint::tests::a_writer_killed_halfway_leaves_the_old_file"])
        .env(CHILD, &path)
        .output()
        .unwrap()
        .status;
    assert!(!status.success());
    assert_eq!(files(folder.path()).len(), 2, "the writer got as far as its temporary file");
    assert_eq!(fs::read(&path).unwrap(), before);
    save_two(&path, 2.0).expect("and the next save is not in its way");
}

#[test]
fn places_that_cannot_be_written_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none/m"), folder.path().into()] {
        let line = save_two(&path, 1.0).unwrap_err().to_string();
        assert!(line.starts_with(&format!("cannot write {}: ", path.display())), "{line}");
    }
    // No user, not even root, may create a file there.
    #[cfg(target_os = "linux")]
    assert!(
        save_two(Path::new("/proc/m"), 1.0).unwrap_err().to_string().starts_with("cannot write /proc/m: ")
    );
    assert!(files(folder.path()).is_empty());
}

/// A socket, a pipe, a device: something that must not be replaced by a file.
#[cfg(unix)]
#[test]
fn what_is_not_a_file_stays_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let line = save_two(&path, 1.0).unwrap_err().to_string();
    assert_eq!(line, format!("cannot write {}: it is not a file", path.display()));
    assert!(!path.is_file() && path.exists());
}

#[cfg(unix)]
#[test]
fn a_link_is_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    save_two(&real, 1.0).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    save_two(&link, 2.0).unwrap();
    assert!(link.is_symlink());
    assert_eq!(load(&real).unwrap(), load(&link).unwrap());
    let Values::F32(weight) = &load(&real).unwrap().parameters["encode.dense0.weight"].values else {
        panic!()
    };
    assert_eq!(weight[0], 2.0);
}

fn sample() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    save_two(&folder.path().join("m"), 1.0).unwrap();
    fs::read(folder.path().join("m")).unwrap()
}

#[test]
fn every_truncation_is_named() {
    let (folder, bytes) = (tempfile::tempdir().unwrap(), sample());
    let path = folder.path().join("m");
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let line = load(&path).unwrap_err().to_string();
        assert!(line.starts_with(&format!("checkpoint {}: is not a whole", path.display())), "{line}");
    }
    let line = load(folder.path().join("none")).unwrap_err().to_string();
    assert!(line.starts_with("cannot read ") && line.contains("none"), "{line}");
}

#[test]
fn other_types_are_named() {
    let header = br#"{"w":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}"#;
    let file = [&(header.len() as u64).to_le_bytes()[..], header, &[0, 0]].concat();
    assert_eq!(decode(&file).unwrap_err(), "`w` is BF16; only F32 and F64 can be read");
}

#[test]
fn claims_are_not_believed() {
    let mut huge = sample();
    huge[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(decode(&huge).is_err());
    // A shape whose size overflows, and one far beyond the file.
    for shape in ["[18446744073709551615,2]", "[4294967296,4294967296]", "[1000000000000]"] {
        let header = format!(r#"{{"w":{{"dtype":"F32","shape":{shape},"data_offsets":[0,4]}}}}"#);
        let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 4]].concat();
        assert!(decode(&file).is_err(), "{shape}");
    }
}

/// What comes out of a damaged file is no larger than the file.
fn survives(bytes: &[u8]) {
    if let Ok(checkpoint) = decode(bytes) {
        let held: usize = checkpoint
            .parameters
            .values()
            .map(|p| p.values.len() * if matches!(p.values, Values::F32(_)) { 4 } else { 8 })
            .sum();
        assert!(held <= bytes.len(), "{held} bytes of values from {} bytes", bytes.len());
        for parameter in checkpoint.parameters.values() {
            assert_eq!(parameter.shape.iter().product::<usize>(), parameter.values.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_never_panic(
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
        header_only in any::<bool>(),
    ) {
        let mut bytes = SAMPLE.with(Clone::clone);
        let reach = if header_only { bytes.len() - 32 } else { bytes.len() };
        for (at, value) in hits {
            bytes[at.index(reach)] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        survives(&bytes);
    }

    #[test]
    fn noise_never_panics(length in 0u64..200, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        survives(&bytes);
        survives(&[&length.to_le_bytes()[..], &bytes].concat());
    }
}

thread_local! {
    static SAMPLE: Vec<u8> = sample();
}
