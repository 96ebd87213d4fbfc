use super::super::error::Error;
use super::super::testing::folder as new_folder;
use super::*;

const NAME: &str = "a.cubin";

fn never() -> Result<Vec<u8>> {
    panic!("it is in the cache")
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn what_was_made_is_kept() {
    let folder = new_folder("kept").join("not/yet/there");
    let cache = Cache::at(&folder);
    assert_eq!(cache.get(NAME, || Ok(vec![1, 2, 3])).unwrap(), [1, 2, 3]);
    assert_eq!(cache.get(NAME, never).unwrap(), [1, 2, 3]);
    assert_eq!(cache.get("b.cubin", || Ok(vec![])).unwrap(), []);
    assert_eq!(cache.get("b.cubin", never).unwrap(), []);
    assert_eq!(files(&folder).len(), 2, "something is left over: {:?}", files(&folder));
    let failed = || Err(Error::Compile { log: "no".into() });
    assert!(cache.get("c.cubin", failed).is_err());
    assert_eq!(files(&folder).len(), 2, "a failure was kept");
}

#[test]
fn any_damage_is_seen_and_mended() {
    let folder = new_folder("damage");
    let cache = Cache::at(&folder);
    let path = folder.join(NAME);
    let good = || cache.get(NAME, || Ok(vec![7; 40])).unwrap();
    good();
    let whole = std::fs::read(&path).unwrap();
    let mut damaged: Vec<Vec<u8>> = (0..whole.len()).map(|len| whole[..len].to_vec()).collect();
    damaged.push([whole.as_slice(), b"more"].concat());
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        damaged.push(bytes);
    }
    for bytes in damaged {
        std::fs::write(&path, &bytes).unwrap();
        let mut made = false;
        let got = cache.get(NAME, || {
            made = true;
            Ok(vec![7; 40])
        });
        assert_eq!(got.unwrap(), [7; 40]);
        assert!(made, "{} damaged bytes were taken for a cubin", bytes.len());
        assert_eq!(std::fs::read(&path).unwrap(), whole, "not mended");
    }
}

#[test]
fn a_folder_that_cannot_be_is_no_error() {
    let file = new_folder("file").join("file");
    std::fs::write(&file, "in the way").unwrap();
    for folder in [file.clone(), file.join("below")] {
        assert_eq!(Cache::at(folder).get(NAME, || Ok(vec![5])).unwrap(), [5]);
    }
    let folder = new_folder("directory");
    std::fs::create_dir(folder.join(NAME)).unwrap();
    assert_eq!(Cache::at(folder).get(NAME, || Ok(vec![6])).unwrap(), [6]);
    assert_eq!(Cache { folder: None }.get(NAME, || Ok(vec![8])).unwrap(), [8]);
}

#[test]
fn many_writers_leave_one_whole_file() {
    let folder = new_folder("writers");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for round in 0..20 {
                    let cache = Cache::at(&folder);
                    let cubin = cache.get(NAME, || Ok(vec![9; 100_000])).unwrap();
                    assert_eq!(cubin, [9; 100_000]);
                    if round % 5 == 0 {
                        let _ = std::fs::remove_file(folder.join(NAME));
                    }
                }
            });
        }
    });
    assert!(files(&folder).iter().all(|name| name == NAME), "{:?}", files(&folder));
}

#[test]
fn the_folder_follows_the_system() {
    let set = |pairs: &'static [(&str, &str)]| {
        move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value))
    };
    type Case = (&'static [(&'static str, &'static str)], &'static str, Option<&'static str>);
    let cases: [Case; 7] = [
        (&[("HOME", "/h")], "linux", Some("/h/.cache/diabolo/cubin")),
        (&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")], "linux", Some("/x/diabolo/cubin")),
        (&[("HOME", "/h"), ("XDG_CACHE_HOME", "x")], "linux", Some("/h/.cache/diabolo/cubin")),
        (&[("HOME", "/h"), ("DIABOLO_CACHE", "/d")], "linux", Some("/d")),
        (&[("HOME", "/h")], "macos", Some("/h/Library/Caches/diabolo/cubin")),
        (&[("LOCALAPPDATA", "/l")], "windows", Some("/l/diabolo/cubin")),
        (&[], "linux", None),
    ];
    for (pairs, system, expected) in cases {
        assert_eq!(folder(set(pairs), system), expected.map(PathBuf::from), "{pairs:?}");
    }
}

#[test]
fn parts_do_not_run_into_each_other() {
    assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
    assert_ne!(digest(&[b"abc"]), digest(&[b"abc", b""]));
}

#[test]
fn the_real_compiler_is_asked_once_for_each_way_to_compile() {
    let nvrtc = match Nvrtc::find() {
        Ok(nvrtc) => nvrtc,
        Err(error) => return eprintln!("skipped: no NVRTC ({error})"),
    };
    let folder = new_folder("real");
    let cache = Cache::at(&folder);
    let kernel = "extern \"C\" __global__ void f(float *x) { x[0] = 1.0f; }";
    let first = cache.cubin(nvrtc, kernel, "sm_90", &[]).unwrap();
    assert_eq!(cache.cubin(nvrtc, kernel, "sm_90", &[]).unwrap(), first);
    assert_eq!(files(&folder).len(), 1);
    cache.cubin(nvrtc, kernel, "sm_80", &[]).unwrap();
    cache.cubin(nvrtc, kernel, "sm_90", &["--device-debug"]).unwrap();
    cache.cubin(nvrtc, &kernel.replace("1.0", "2.0"), "sm_90", &[]).unwrap();
    assert_eq!(files(&folder).len(), 4);
}
