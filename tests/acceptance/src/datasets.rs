//! Real data beyond what the product embeds, where it is at hand.
//!
//! In: `$DIABOLO_DATA`, or the folder beside the project. Out: MNIST, or one line that says why not. Never: other data in
//! its place.

use std::path::{Path, PathBuf};

use diabolo::data::{self, Digits};

/// MNIST at full size; where it is not at hand, a line and none.
pub fn mnist() -> Option<Digits> {
    let folder = match std::env::var_os("DIABOLO_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let folder = if folder.join("mnist").is_dir() { folder.join("mnist") } else { folder };
    match data::mnist(&folder) {
        Ok(digits) => Some(digits),
        Err(error) => {
            println!("skipped: no MNIST ($DIABOLO_DATA names its folder): {error}");
            None
        }
    }
}
